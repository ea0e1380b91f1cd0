// The sensors of the server's session, as the list that one can rearrange shows them.

class LiveSensors {
  // ask(message): tells the server.
  constructor(ask) {
    this.ask = ask;
    [this.names, this.order, this.dead, this.asked] = [[], [], new Set(), ""];
  }

  // What the server says; until it has done what was asked for, the page is ahead of it.
  hear({ names, order, dead }) {
    if (this.asked && this.asked !== `${order} ${dead}`) return;
    [this.names, this.order, this.dead, this.asked] = [names, order, new Set(dead), ""];
  }

  // It does not do what was asked for.
  refused() {
    this.asked = "";
  }

  nameOf(sensor) {
    return { symbol: this.names[sensor], name: this.names[sensor] };
  }

  isSensor() {
    return true;
  }

  // The values stand below, beside every place of an agent's input.
  sidesOf() {
    return [];
  }

  values() {
    return [];
  }

  move(from, to) {
    this.order = this.order.slice();
    this.order.splice(to, 0, ...this.order.splice(from, 1));
    this.tell({ do: "arrange", order: this.order });
  }

  toggle(sensor) {
    const dead = !this.dead.delete(sensor);
    if (dead) this.dead.add(sensor);
    this.tell({ do: "kill", sensor, dead });
  }

  putInOrder() {
    const inOrder = this.order.toSorted((a, b) => a - b);
    if (`${inOrder}` === `${this.order}`) return;
    this.order = inOrder;
    this.tell({ do: "arrange", order: this.order });
  }

  tell(message) {
    this.asked = `${this.order} ${[...this.dead].sort((a, b) => a - b)}`;
    this.ask(message);
  }
}
