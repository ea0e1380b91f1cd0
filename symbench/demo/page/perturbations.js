// What lies between the sensors and the agents: their order, dead ones, channels of noise, a mirror.

const SENSORS = [
  { symbol: "x", name: "position" },
  { symbol: "ẋ", name: "speed" },
  { symbol: "cos θ", name: "cosine" },
  { symbol: "sin θ", name: "sine" },
  { symbol: "θ̇", name: "turning" },
];
const NOISE_SIGMA = 0.1;
const MOST_NOISE = 20;
const MIRROR = [-1, -1, 1, -1, -1]; // of the sensors; the action's is -1

function channelName(channel) {
  return SENSORS[channel] ?? { symbol: `n${channel - SENSORS.length + 1}`, name: "noise" };
}

class Perturbations {
  constructor() {
    this.order = [...SENSORS.keys()]; // entry j is the channel that comes at place j
    this.dead = new Set(); // sensors that say 0
    this.flipped = false;
    this.every = 0; // steps after which the order is drawn again; 0: never, EPISODE_STEPS: in each episode
  }

  get noiseChannels() {
    return this.order.length - SENSORS.length;
  }

  // New channels come at the end; whoever wants them among the sensors shuffles.
  setNoiseChannels(count) {
    const total = SENSORS.length + Math.min(Math.max(count, 0), MOST_NOISE);
    this.order = this.order.filter((channel) => channel < total);
    for (let channel = this.order.length; channel < total; channel++) this.order.push(channel);
  }

  shuffle(random) {
    this.order = random.shuffled(this.order);
  }

  putInOrder() {
    this.order.sort((a, b) => a - b);
  }

  move(from, to) {
    this.order.splice(to, 0, ...this.order.splice(from, 1));
  }

  toggle(sensor) {
    if (!this.dead.delete(sensor)) this.dead.add(sensor);
  }

  // What an agent is given: sensors and noise in the order of the moment, rounded to float32 as the task's are.
  inputs(sensors, noise) {
    const seen = Array.from(sensors, (value, i) => (this.dead.has(i) ? 0 : value * (this.flipped ? MIRROR[i] : 1)));
    const channels = [...seen, ...noise];
    return Float64Array.from(this.order, (channel) => Math.fround(channels[channel]));
  }

  // What is done in the world when an agent that may see it mirrored does this.
  action(action) {
    return this.flipped ? -action : action;
  }
}
