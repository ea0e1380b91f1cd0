// Two agents in the same episode: the same first state, the same order of sensors, the same noise.

const KEPT_INPUTS = 150; // time steps
const TRAIL = 45; // time steps of the pole's way

class Run {
  constructor(agent) {
    this.choose(agent);
  }

  choose(agent) {
    this.agent = agent;
    this.network = makeNetwork(agent);
  }

  begin(state, channels) {
    this.state = state;
    this.left = false;
    this.returns = [0];
    [this.inputs, this.trail, this.push] = [[], [], 0];
    this.network.begin(channels);
  }

  get steps() {
    return this.returns.length - 1;
  }

  get return() {
    return this.returns.at(-1);
  }

  // Why it cannot act on so many sensors; empty if it can.
  problem(channels) {
    const { sensors } = this.network;
    return sensors === undefined || sensors === channels ? "" : `reads ${sensors} sensors, not ${channels}`;
  }

  step(perturbations, noise) {
    const inputs = perturbations.inputs(observationOf(this.state), noise);
    this.push = perturbations.action(this.network.act(inputs));
    this.state = advance(this.state, this.push);
    this.left = leftTrack(this.state);
    this.returns.push(this.return + rewardOf(this.state));
    keep(this.inputs, inputs, KEPT_INPUTS);
    keep(this.trail, this.state, TRAIL);
  }
}

function keep(list, newest, most) {
  list.push(newest);
  if (list.length > most) list.shift();
}

class Session {
  constructor(agents, seed = 0, start = "calm") {
    this.perturbations = new Perturbations();
    this.start = start;
    this.runs = agents.map((agent) => new Run(agent));
    this.begin(seed);
  }

  begin(seed) {
    this.seed = seed;
    this.steps = 0;
    this.shuffles = []; // steps at which the order changed
    [this.orders, this.noise] = [new Random(seed, 1), new Random(seed, 2)];
    if (this.perturbations.every) this.perturbations.shuffle(this.orders);
    const state = firstState(new Random(seed, 0), this.start);
    for (const run of this.runs) run.begin(state, this.perturbations.order.length);
  }

  get channels() {
    return this.perturbations.order.length;
  }

  canGoOn(run) {
    return !run.left && !run.problem(this.channels);
  }

  get over() {
    return this.steps >= EPISODE_STEPS || !this.runs.some((run) => this.canGoOn(run));
  }

  // Nobody can act, whatever the seed: there is nothing to wait for.
  get stuck() {
    return this.runs.every((run) => run.problem(this.channels));
  }

  drawNoise() {
    return Array.from({ length: this.perturbations.noiseChannels }, () => NOISE_SIGMA * this.noise.normal());
  }

  tick(noise = this.drawNoise()) {
    const { every } = this.perturbations;
    if (every && this.steps && this.steps % every === 0) this.shuffle();
    for (const run of this.runs) if (this.canGoOn(run)) run.step(this.perturbations, noise);
    this.steps++;
  }

  shuffle() {
    this.perturbations.shuffle(this.orders);
    this.orderChanged();
  }

  orderChanged() {
    if (this.shuffles.at(-1) !== this.steps) this.shuffles.push(this.steps);
  }

  setNoiseChannels(count) {
    this.perturbations.setNoiseChannels(count);
    for (const run of this.runs) run.network.resize(this.channels);
  }

  // Another agent plays the episode from its beginning, beside the one that is there.
  choose(place, agent) {
    this.runs[place].choose(agent);
    this.begin(this.seed);
  }
}
