// The networks that play, as those of symbench/policies: what they remember, and how they mix their sensors.

class Network {
  constructor(config, tensors) {
    const { low, high } = config.action_space;
    [this.low, this.high] = [low[0], high[0]];
    this.head = new Dense(tensors, "head", config.activation);
    this.sensors = undefined; // how many it reads; undefined: any number
    this.attention = []; // of each sensor to each code, if it has any
  }

  // Forget everything; an episode of so many sensors begins.
  begin() {}

  // From now on so many sensors come.
  resize() {}

  // One time step: what is seen to what is done.
  act(inputs) {
    const output = this.head.apply(this.features(inputs))[0];
    const action = Math.fround(Math.min(Math.max(output, this.low), this.high));
    this.remember(action);
    return action;
  }

  remember() {}
}

// Tied to the order and the number of its sensors.
class MLP extends Network {
  constructor(config, tensors) {
    super(config, tensors);
    this.sensors = config.num_sensors;
  }

  features(inputs) {
    return inputs;
  }
}

// What networks share that see the last k values of every sensor and the last k actions, newest last.
class HistoryNetwork extends Network {
  constructor(config, tensors) {
    super(config, tensors);
    this.history = config.history;
  }

  begin(count) {
    this.actions = new Float64Array(this.history);
    this.values = [];
    this.resize(count);
  }

  resize(count) {
    this.values = Array.from({ length: count }, (_, i) => this.values[i] ?? new Float64Array(this.history));
  }

  perceive(inputs) {
    this.values.forEach((values, i) => pushed(values, Math.asinh(inputs[i])));
  }

  remember(action) {
    pushed(this.actions, action);
  }
}

function pushed(values, newest) {
  values.copyWithin(0, 1);
  values[values.length - 1] = newest;
}

class HistoryMLP extends HistoryNetwork {
  constructor(config, tensors) {
    super(config, tensors);
    this.sensors = config.num_sensors;
  }

  features(inputs) {
    this.perceive(inputs);
    return Float64Array.from([...this.values, this.actions].flatMap((values) => [...values]));
  }
}

// tanh(Q W_q (K W_k)^T) V with keys and values from the last k values of each sensor.
class AttentionNeuron extends HistoryNetwork {
  constructor(config, tensors) {
    super(config, tensors);
    this.activation = ACTIVATIONS[config.key_activation];
    this.keyOfValues = linear(tensors, "layer.key_of_values");
    this.keyOfActions = linear(tensors, "layer.key_of_actions");
    this.keyLayers = linearLayers(tensors, "layer.key_network");
    this.scores = queryKeyScores(tensors, "layer.scores", config);
    this.value = linear(tensors, "layer.values");
  }

  key(values, ofActions) {
    const first = this.keyOfValues.apply(values).map((value, i) => this.activation(value + ofActions[i]));
    return this.keyLayers.reduce((key, layer) => layer.apply(key).map(this.activation), first);
  }

  features(inputs) {
    this.perceive(inputs);
    const ofActions = this.keyOfActions.apply(this.actions);
    this.attention = this.values.map((values) => this.scores.apply(this.key(values, ofActions)).map(Math.tanh));
    return mixed(this.attention, this.values.map((values) => this.value.apply(values)));
  }
}

// The published layer, tanh(tanh(Q W_q (K W_k)^T) o), with keys from an LSTM per sensor.
class RecurrentAttentionNeuron extends Network {
  constructor(config, tensors) {
    super(config, tensors);
    this.size = config.hidden_dim;
    this.lstm = new LSTM(tensors, "layer.lstm");
    this.scores = queryKeyScores(tensors, "layer.scores", config);
  }

  begin(count) {
    this.action = 0;
    this.states = [];
    this.resize(count);
  }

  resize(count) {
    const fresh = () => ({ hidden: new Float64Array(this.size), cell: new Float64Array(this.size) });
    this.states = Array.from({ length: count }, (_, i) => this.states[i] ?? fresh());
  }

  features(inputs) {
    this.states = this.states.map((state, i) => this.lstm.step(Float64Array.of(inputs[i], this.action), state));
    this.attention = this.states.map(({ hidden }) => this.scores.apply(hidden).map(Math.tanh));
    return mixed(this.attention, Array.from(inputs, (value) => Float64Array.of(value))).map(Math.tanh);
  }

  remember(action) {
    this.action = action;
  }
}

// Sensors' values weighted by attention and summed: codes x values, in one row. It does not know their order.
function mixed(attention, values) {
  const [codes, width] = [attention[0].length, values[0].length];
  const code = new Float64Array(codes * width);
  for (let sensor = 0; sensor < attention.length; sensor++) {
    for (let m = 0; m < codes; m++) {
      for (let d = 0; d < width; d++) code[m * width + d] += attention[sensor][m] * values[sensor][d];
    }
  }
  return code;
}

const NETWORKS = {
  mlp: MLP,
  "history-mlp": HistoryMLP,
  "attention-neuron": AttentionNeuron,
  "recurrent-attention-neuron": RecurrentAttentionNeuron,
};

function makeNetwork({ kind, config, weights }) {
  return new NETWORKS[kind](config, unpacked(weights));
}
