// One agent: its scene, what it is given, what it makes of it.

const NOBODY = "nobody";

class LiveLane {
  // choose(agent): somebody has chosen another agent, null for nobody.
  constructor(place, agents, choose) {
    this.section = byId("lane").content.cloneNode(true).firstElementChild;
    const find = (selector) => this.section.querySelector(selector);
    [this.select, this.picture, this.noPicture, this.state] = ["select", ".picture", ".no-picture", ".state"].map(find);
    [this.frames, this.inputs, this.figure] = [".frames", ".inputs", ".figure"].map(find);
    find(".unseen").textContent = `Agent on the ${SIDES[place]}`;
    const names = place === 0 ? agents : [...agents, NOBODY];
    this.select.append(...names.map((name) => element("option", {}, name)));
    this.select.addEventListener("change", () => choose(this.select.value === NOBODY ? null : this.select.value));
    this.begin();
  }

  // Another episode, or another agent.
  begin() {
    [this.rows, this.points, this.numbers, this.aside] = [[], [], undefined, false];
  }

  // What the server says; undefined if nobody plays here.
  show(lane) {
    const agent = lane?.agent ?? NOBODY;
    if (this.select.value !== agent) this.select.value = agent;
    this.section.classList.toggle("empty", !lane);
    if (!lane) {
      this.hide();
      return;
    }
    this.figure.hidden = this.state.hidden = false;
    this.figure.firstElementChild.textContent = rounded(lane.return);
    this.state.textContent = stateOf(lane);
    this.state.classList.toggle("lost", Boolean(lane.problem));
    if (lane.return !== null) this.points.push([lane.steps, lane.return]);
    this.showScene(lane);
    this.showFrames(lane.pictures);
    this.take(lane.numbers);
  }

  hide() {
    for (const part of [this.picture, this.noPicture, this.state, this.figure, this.inputs]) part.hidden = true;
    this.frames.replaceChildren();
    this.begin();
  }

  showScene({ agent, scene, no_picture: none }) {
    this.picture.hidden = !scene;
    this.noPicture.hidden = Boolean(scene);
    if (scene) [this.picture.src, this.picture.alt] = [scene, `The scene in which ${agent} plays`];
    else this.noPicture.textContent = none;
  }

  showFrames(pictures) {
    if (this.frames.children.length !== pictures.length) {
      this.frames.replaceChildren(...pictures.map(() => element("figure", {}, element("figcaption"), element("img"))));
    }
    pictures.forEach(([title, source], i) => {
      const [caption, image] = this.frames.children[i].children;
      if (caption.textContent !== title) caption.textContent = image.alt = title;
      image.src = source;
    });
  }

  take(numbers) {
    this.inputs.hidden = !numbers || !numbers.names.length;
    this.numbers = numbers;
    if (!numbers) return;
    this.rows = [...this.rows, ...numbers.rows].slice(-REMEMBERED);
    this.aside ||= Boolean(numbers.attention || numbers.taken);
    this.inputs.setAttribute("aria-label", `What ${this.select.value} is given over the last steps, by place, and what it makes of it`);
  }

  draw(colours) {
    if (this.inputs.hidden || !this.numbers) return;
    const { names, attention = [], taken = [] } = this.numbers;
    const longest = Math.max(...names.map((name) => name.length));
    drawInputs(this.inputs, { rows: this.rows, names, attention, taken, aside: this.aside, heading: `input, last ${REMEMBERED} steps`, margin: 12 + 6.2 * longest }, colours);
  }
}

function stateOf({ steps, over, problem, broken }) {
  if (problem) return `${broken ? `Broken at step ${steps}` : "Cannot act"}: ${problem}`;
  return over ? `Over after ${steps} steps` : `Step ${steps}`;
}

// As many digits as one can read while it changes; null is no number.
function rounded(value) {
  if (value === null) return "–";
  const size = Math.abs(value);
  return (value < 0 ? "−" : "") + size.toFixed(size < 10 ? 2 : size < 100 ? 1 : 0);
}
