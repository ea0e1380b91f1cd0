// The perturbations: a slider for each that fits, and why the others do not.

class Panel {
  // perturb(name, severity) and redraw(name): what somebody has asked for.
  constructor(list, unfit, perturbations, { perturb, redraw }) {
    this.rows = new Map();
    for (const each of perturbations.filter(({ reason }) => !reason)) {
      const row = this.make(each, perturb, redraw);
      this.rows.set(each.name, row);
      list.append(row.item);
    }
    for (const { name, reason } of perturbations.filter((each) => each.reason)) {
      unfit.append(element("dt", {}, name), element("dd", {}, reason));
    }
  }

  make({ name, explanation, labels, redraws }, perturb, redraw) {
    const id = `severity-${name}`;
    const [shown, slider] = [element("output", {}, "off"), element("input", { type: "range", id, min: 0, max: labels.length, value: 0 })];
    shown.setAttribute("for", id);
    slider.setAttribute("aria-describedby", `${id}-help`);
    slider.addEventListener("input", () => perturb(name, Number(slider.value)));
    const label = element("label", { htmlFor: id }, element("b", {}, name), " ", shown);
    const help = element("p", { className: "hint", id: `${id}-help` }, explanation);
    const again = element("button", { type: "button", className: "again", disabled: true }, "Draw again");
    again.setAttribute("aria-label", `Draw ${name} again`);
    again.addEventListener("click", () => redraw(name));
    const item = element("li", {}, label, element("div", { className: "severity" }, slider, ...(redraws ? [again] : [])), help);
    return { item, slider, shown, again, labels };
  }

  show(severities) {
    for (const [name, { item, slider, shown, again, labels }] of this.rows) {
      const severity = severities[name] ?? 0;
      const told = severity ? labels[severity - 1] : "off";
      if (document.activeElement !== slider || !item.matches(":active")) slider.value = severity;
      if (shown.textContent !== told) shown.textContent = told;
      slider.setAttribute("aria-valuetext", severity ? `severity ${severity}, ${told}` : "off");
      again.disabled = !severity;
      item.classList.toggle("on", severity > 0);
    }
  }
}
