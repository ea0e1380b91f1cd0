// The sensors of a session, as the list that one can rearrange shows them.

class SessionSensors {
  constructor(session) {
    this.session = session;
  }

  get order() {
    return this.session.perturbations.order;
  }

  get dead() {
    return this.session.perturbations.dead;
  }

  nameOf(channel) {
    return channelName(channel);
  }

  isSensor(channel) {
    return channel < SENSORS.length;
  }

  // Of a sensor one value for each side, of noise the one that both are given.
  sidesOf(channel) {
    return this.isSensor(channel) ? SIDES : ["noise"];
  }

  values(channel, place) {
    const latest = this.session.runs.map((run) => (run.problem(this.session.channels) ? undefined : run.inputs.at(-1)));
    return (this.isSensor(channel) ? latest : [latest.findLast(Boolean)]).map((inputs) => inputs?.[place]);
  }

  move(from, to) {
    this.session.perturbations.move(from, to);
    this.session.orderChanged();
  }

  toggle(channel) {
    this.session.perturbations.toggle(channel);
  }
}
