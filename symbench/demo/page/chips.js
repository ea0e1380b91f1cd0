// The sensors as a list one can rearrange, by pointer and by keyboard.

class Chips {
  // model: {order: the channel at each place, dead, nameOf(channel): {symbol, name}, isSensor(channel),
  // sidesOf(channel): whose values are shown, values(channel, place): these, move(from, to), toggle(channel)}.
  // changed(message): the order, or who is dead, is another one now.
  constructor(list, model, changed) {
    [this.list, this.model, this.changed] = [list, model, changed];
    this.shown = "";
  }

  // Bring the list up to date; nothing is made anew that is there.
  show() {
    const { order, dead } = this.model;
    const state = `${order} ${[...dead]}`;
    if (state !== this.shown) {
      const old = new Map([...this.list.children].map((chip) => [Number(chip.dataset.channel), chip]));
      const focused = document.activeElement;
      this.list.replaceChildren(...order.map((channel, place) => this.placed(old.get(channel) ?? this.make(channel), place)));
      if (this.list.contains(focused)) focused.focus({ preventScroll: true }); // what is moved loses it
      this.list.classList.toggle("many", order.length > 5);
      this.shown = state;
    }
    this.showValues();
  }

  make(channel) {
    const { symbol, name } = this.model.nameOf(channel);
    const isSensor = this.model.isSensor(channel);
    const chip = element("li", { className: isSensor ? "chip" : "chip noise" });
    chip.dataset.channel = channel;
    const handle = element("button", { type: "button", className: "handle" });
    handle.setAttribute("aria-describedby", "chip-help");
    handle.append(element("b", {}, symbol), ...(name === symbol ? [] : [element("span", { className: "name" }, name)]));
    handle.append(...this.model.sidesOf(channel).map((side) => element("span", { className: `value ${side}`, ariaHidden: "true" })));
    handle.addEventListener("keydown", (event) => this.key(event, channel));
    handle.addEventListener("pointerdown", (event) => this.drag(event, chip, channel));
    chip.append(handle);
    if (isSensor) chip.append(this.makeSwitch(channel, name));
    return chip;
  }

  makeSwitch(channel, name) {
    const alive = element("button", { type: "button", className: "alive", role: "switch" }, "alive");
    alive.setAttribute("aria-label", `${name} is alive`);
    alive.addEventListener("click", () => {
      this.model.toggle(channel);
      this.changed(`${name} is ${this.model.dead.has(channel) ? "dead" : "alive"}`);
    });
    return alive;
  }

  placed(chip, place) {
    const channel = Number(chip.dataset.channel);
    const dead = this.model.dead.has(channel);
    const of = this.model.order.length;
    const handle = chip.querySelector(".handle");
    handle.setAttribute("aria-label", `${this.model.nameOf(channel).name}, place ${place + 1} of ${of}`);
    chip.classList.toggle("dead", dead);
    const alive = chip.querySelector(".alive");
    alive?.setAttribute("aria-checked", String(!dead));
    alive?.replaceChildren(dead ? "dead" : "alive");
    return chip;
  }

  showValues() {
    this.model.order.forEach((channel, place) => {
      const values = this.model.values(channel, place);
      this.list.children[place].querySelectorAll(".value").forEach((value, i) => {
        const text = values[i] === undefined ? "–" : signed(values[i]);
        if (value.textContent !== text) value.textContent = text;
      });
    });
  }

  move(channel, to) {
    const from = this.model.order.indexOf(channel);
    const place = Math.min(Math.max(to, 0), this.model.order.length - 1);
    if (from === place) return;
    this.model.move(from, place);
    this.changed(`${this.model.nameOf(channel).name} is now at place ${place + 1} of ${this.model.order.length}`);
  }

  key(event, channel) {
    const place = this.model.order.indexOf(channel);
    const places = { ArrowLeft: place - 1, ArrowUp: place - 1, ArrowRight: place + 1, ArrowDown: place + 1, Home: 0, End: Infinity };
    if (!(event.key in places)) return;
    event.preventDefault();
    this.move(channel, places[event.key]);
  }

  // Follow the pointer: the chip takes the place of the one it is above.
  drag(event, chip, channel) {
    if (event.button !== 0) return;
    const ended = new AbortController();
    const end = () => {
      ended.abort();
      chip.classList.remove("moving");
    };
    const follow = ({ clientX, clientY }) => {
      const above = document.elementFromPoint(clientX, clientY)?.closest(".chip");
      if (above && above !== chip && this.list.contains(above)) this.move(channel, [...this.list.children].indexOf(above));
    };
    chip.classList.add("moving");
    for (const [type, listener] of [["pointermove", follow], ["pointerup", end], ["pointercancel", end]]) {
      addEventListener(type, listener, { signal: ended.signal });
    }
  }
}
