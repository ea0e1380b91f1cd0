// Layers of networks, of weights as torch names them: "head.0.weight" is rows x columns.

const ACTIVATIONS = { tanh: Math.tanh, relu: (value) => Math.max(value, 0) };
const sigmoid = (value) => 1 / (1 + Math.exp(-value));

// {name: {shape, float32: base64}} -> {name: {shape, values}}
function unpacked(weights) {
  const values = (text) => new Float32Array(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
  const entries = Object.entries(weights);
  return Object.fromEntries(entries.map(([name, { shape, float32 }]) => [name, { shape, values: values(float32) }]));
}

// A matrix and a bias. All numbers are float64 here and in what it reads: its loop is where the time goes, and it is
// several times slower where it meets arrays of more than one kind.
class Linear {
  constructor(weight, bias, rows, columns) {
    this.weight = Float64Array.from(weight);
    this.bias = bias ? Float64Array.from(bias) : new Float64Array(rows);
    [this.rows, this.columns] = [rows, columns];
  }

  apply(input) {
    const { rows, columns, weight } = this;
    const output = Float64Array.from(this.bias);
    for (let row = 0, at = 0; row < rows; row++) {
      let sum = 0;
      for (let column = 0; column < columns; column++) sum += weight[at++] * input[column];
      output[row] += sum;
    }
    return output;
  }
}

function linear(tensors, name, weight = "weight", bias = "bias") {
  const { shape, values } = tensors[`${name}.${weight}`];
  return new Linear(values, tensors[`${name}.${bias}`]?.values, ...shape);
}

// The linear layers of a torch.nn.Sequential, in order.
function linearLayers(tensors, name) {
  const pattern = new RegExp(`^${name}\\.(\\d+)\\.weight$`);
  const places = Object.keys(tensors).flatMap((key) => key.match(pattern)?.slice(1).map(Number) ?? []);
  return places.sort((a, b) => a - b).map((place) => linear(tensors, `${name}.${place}`));
}

// Linear layers with an activation between them, none at the end.
class Dense {
  constructor(tensors, name, activation) {
    this.layers = linearLayers(tensors, name);
    this.activation = ACTIVATIONS[activation];
  }

  apply(input) {
    return this.layers.reduce((values, layer, i) => layer.apply(i ? values.map(this.activation) : values), input);
  }
}

// The fixed queries Q of "Attention Is All You Need": sines in even columns, cosines in odd ones.
function sinusoidalTable(rows, columns) {
  const angle = (row, column) => row / 10000 ** ((2 * Math.floor(column / 2)) / columns);
  const entry = (row) => (_, column) => Math.fround((column % 2 ? Math.cos : Math.sin)(angle(row, column)));
  return Array.from({ length: rows }, (_, row) => Float64Array.from({ length: columns }, entry(row)));
}

// Q W_q (K W_k)^T: how much each code asks for a key. The queries are fixed, so both projections are one matrix.
function queryKeyScores(tensors, name, { num_codes, query_dim, projection_dim, scale = false }) {
  const [query, key] = [linear(tensors, `${name}.project_query`), linear(tensors, `${name}.project_key`)];
  const factor = scale ? 1 / Math.sqrt(projection_dim) : 1;
  const queries = sinusoidalTable(num_codes, query_dim).map((row) => query.apply(row).map((value) => value * factor));
  const column = (j) => Float64Array.from({ length: key.rows }, (_, row) => key.weight[row * key.columns + j]);
  const columns = Array.from({ length: key.columns }, (_, j) => column(j));
  const weight = queries.flatMap((projected) => columns.map((values) => dot(projected, values)));
  return new Linear(weight, queries.map((projected) => dot(projected, key.bias)), num_codes, key.columns);
}

function dot(left, right) {
  return left.reduce((sum, value, i) => sum + value * right[i], 0);
}

// A gated memory cell (Hochreiter and Schmidhuber 1997) of one sensor: {hidden, cell}.
class LSTM {
  constructor(tensors, name) {
    this.ofInputs = linear(tensors, name, "weight_ih", "bias_ih");
    this.ofHidden = linear(tensors, name, "weight_hh", "bias_hh");
  }

  step(inputs, { hidden, cell }) {
    const [size, gates, before] = [hidden.length, this.ofInputs.apply(inputs), this.ofHidden.apply(hidden)];
    const gate = (place, i) => gates[place * size + i] + before[place * size + i];
    const next = cell.map((value, i) => sigmoid(gate(1, i)) * value + sigmoid(gate(0, i)) * Math.tanh(gate(2, i)));
    return { hidden: next.map((value, i) => sigmoid(gate(3, i)) * Math.tanh(value)), cell: next };
  }
}
