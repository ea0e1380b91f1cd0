// What pages share: elements, numbers as text, buttons and their keys.

const SPEEDS = [0.1, 0.25, 0.5, 1, 2, 4, 8, 16];

const byId = (id) => document.getElementById(id);

function element(tag, properties = {}, ...children) {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
}

function signed(value) {
  const size = Math.abs(value).toFixed(2);
  return (size === "0.00" ? "" : value < 0 ? "−" : "+") + size;
}

// Buttons by their ids, and the keys that press them unless somebody types or has switched keys off.
function press(buttons, keys) {
  for (const [id, pressed] of Object.entries(buttons)) byId(id).addEventListener("click", pressed);
  addEventListener("keydown", (event) => {
    const typing = event.target.closest("input:not([type=range]), select, summary") || (event.key === " " && event.target.closest("button"));
    if (typing || event.ctrlKey || event.metaKey || event.altKey || !byId("keys").checked || !(event.key in keys)) return;
    event.preventDefault();
    byId(keys[event.key]).click();
  });
}
