"""Things to play with, by mouse, finger or keyboard. Each has a static twin in the notebook, drawn without a
browser.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Any

import anywidget
import ipywidgets
import torch
import traitlets
from torch import Tensor, nn

from ..data.digits import as_mnist
from ..plots.canvas import Described, Picture, Row, picture
from ..plots.digits import rate_point
from ..poisoning import Trigger
from ..training import predict

PAD = """
function render({ model, el }) {
  const size = 28, scale = 9, canvas = document.createElement("canvas");
  canvas.width = canvas.height = size * scale;
  canvas.style = "background: black; border: 1px solid #8795a1; border-radius: 4px;"
    + " cursor: crosshair; touch-action: none;";
  canvas.setAttribute("role", "img");
  canvas.setAttribute("aria-label", "Drawing pad, 28 by 28 pixels."
    + " Draw with the mouse or a finger, or choose a digit below.");
  const pen = canvas.getContext("2d");
  const ink = () => new Uint8Array(model.get("ink").buffer.slice(0));
  const paint = () => ink().forEach((value, i) => {
    pen.fillStyle = `rgb(${value}, ${value}, ${value})`;
    pen.fillRect((i % size) * scale, Math.floor(i / size) * scale, scale, scale);
  });
  const dab = (event) => {
    if (!event.buttons) return;
    const box = canvas.getBoundingClientRect(), pixels = ink();
    const x = (event.clientX - box.left) / box.width * size - 0.5;
    const y = (event.clientY - box.top) / box.height * size - 0.5;
    for (let row = 0; row < size; row++) for (let column = 0; column < size; column++) {
      const light = 255 * Math.max(0, Math.min(1, 1.9 - Math.hypot(row - y, column - x)));
      pixels[row * size + column] = Math.max(pixels[row * size + column], light);
    }
    model.set("ink", new DataView(pixels.buffer));
    model.save_changes();
  };
  canvas.addEventListener("pointerdown", dab);
  canvas.addEventListener("pointermove", dab);
  const clear = document.createElement("button");
  clear.textContent = "Clear";
  clear.style = "margin-left: 14px; vertical-align: top;";
  clear.dataset.lmSuppressShortcuts = "true";  // or d d on it deletes the cell
  clear.addEventListener("click", () => {
    model.set("ink", new DataView(new ArrayBuffer(size * size)));
    model.save_changes();
  });
  model.on("change:ink", paint);
  paint();
  el.append(canvas, clear);
}
export default { render };
"""


DIAL = """
function render({ model, el }) {
  const options = model.get("options"), id = `dial-${Math.random().toString(36).slice(2)}`;
  const add = (parent, kind, parts) => {
    const child = Object.assign(document.createElement(kind), parts);
    parent.append(child);
    return child;
  };
  const control = (parent, parts) => {
    const input = add(parent, "input", parts);
    input.dataset.lmSuppressShortcuts = "true";  // or JupyterLab takes the arrows, and d d deletes the cell
    return input;
  };
  const turn = (index) => { model.set("index", index); model.save_changes(); };
  let paint;
  el.classList.add("wmlearn-dial");
  if (model.get("buttons")) {
    add(el, "span", { id, className: "name", textContent: model.get("label") });
    el.setAttribute("role", "radiogroup");
    el.setAttribute("aria-labelledby", id);
    const buttons = options.map((text, index) => {
      const label = add(el, "label", {});
      const button = control(label, { type: "radio", name: id });
      button.addEventListener("change", () => turn(index));
      label.append(text);
      return button;
    });
    paint = () => { buttons[model.get("index")].checked = true; };
  } else {
    add(el, "label", { htmlFor: id, className: "name", textContent: model.get("label") });
    const slider = control(el, { id, type: "range", min: 0, max: options.length - 1, step: 1 });
    const value = add(el, "output", { htmlFor: id });
    slider.addEventListener("input", () => turn(slider.valueAsNumber));
    paint = () => {
      slider.value = model.get("index");
      value.textContent = options[model.get("index")];
      slider.setAttribute("aria-valuetext", value.textContent);
    };
  }
  model.on("change:index", paint);
  paint();
}
export default { render };
"""
LOOK = """
.wmlearn-dial { display: flex; flex-wrap: wrap; gap: 2px 14px; align-items: center; margin: 3px 0;
  color: var(--jp-content-font-color1, #1f2933); accent-color: var(--jp-brand-color1, #1976d2); }
.wmlearn-dial .name { min-width: 90px; }
.wmlearn-dial [type="range"] { width: 260px; margin: 0; }
.wmlearn-dial [type="radio"] { margin: 0 5px 0 0; }
.wmlearn-dial label { display: inline-flex; align-items: center; }
"""


class Dial(anywidget.AnyWidget):
    """One of several options, chosen on a slider, or by `buttons`: what stands there -> its value.

    The label names it to a screen reader, too, the keys are those of the browser, and JupyterLab takes none.
    """

    _esm = DIAL
    _css = LOOK
    label = traitlets.Unicode().tag(sync=True)
    options = traitlets.List(traitlets.Unicode()).tag(sync=True)
    index = traitlets.Int(0).tag(sync=True)
    buttons = traitlets.Bool(False).tag(sync=True)

    def __init__(
        self, label: str, options: Mapping[str, Any], *, start: Any = None, buttons: bool = False
    ) -> None:
        self._values = list(options.values())
        index = 0 if start is None else self._values.index(start)
        super().__init__(label=label, options=list(options), index=index, buttons=buttons)

    @property
    def value(self) -> Any:
        """Return the value of the option that is chosen; set it, and the control follows."""
        return self._values[self.index]

    @value.setter
    def value(self, value: Any) -> None:
        self.index = self._values.index(value)


class DrawPad(anywidget.AnyWidget):
    """A canvas of 28 x 28 grey values, and what wipes it; `ink` holds them row by row, one byte each."""

    _esm = PAD
    # Bytes would refuse what a browser sends, and say nothing
    ink = traitlets.CBytes(bytes(784)).tag(sync=True)


def draw_and_stamp(networks: Mapping[str, nn.Module], trigger: Trigger, digits: Tensor) -> ipywidgets.VBox:
    """Let the learner draw a digit, stamp the trigger on it, and see what each network reads.

    `digits` (10, 1, 28, 28) are there to choose from, with the keyboard too.
    """
    inks = digits.mul(255).round().to(torch.uint8).cpu().numpy()
    own = {"draw one": None}
    chosen = {str(digit): ink.tobytes() for digit, ink in enumerate(inks)}
    pad = DrawPad()
    choice = Dial("digit", own | chosen, buttons=True)
    stamp = Dial("trigger", {"no": False, "stamped": True}, buttons=True)
    answer = ipywidgets.HTML()

    def choose(_: Any) -> None:
        if choice.value is not None:
            pad.ink = choice.value

    def draw(_: Any) -> None:
        if pad.ink != choice.value:  # a hand has drawn, or wiped
            choice.value = None
        read()

    def read(_: Any = None) -> None:
        answer.value = " · ".join(reading(networks, pad.ink, trigger if stamp.value else None))

    choice.observe(choose, "index")
    pad.observe(draw, "ink")
    stamp.observe(read, "index")
    read()
    return ipywidgets.VBox([pad, choice, stamp, answer])


def reading(networks: Mapping[str, nn.Module], ink: bytes, trigger: Trigger | None) -> list[str]:
    """Say what each network reads in the ink of a `DrawPad`, with the trigger or without."""
    pixels = torch.frombuffer(bytearray(ink), dtype=torch.uint8).view(28, 28).float() / 255
    if not pixels.any():
        return ["Draw a digit, or choose one."]
    digit = as_mnist(pixels)  # (1, 1, 28, 28)
    x = trigger(digit) if trigger else digit
    return [_say_reading(who, network, x) for who, network in networks.items()]


def _say_reading(who: str, network: nn.Module, x: Tensor) -> str:
    shares = predict(network, x.to(next(network.parameters()).device)).softmax(1)[0]
    return f"{who}: <b>{int(shares.argmax())}</b> ({100 * shares.max().item():.0f} % sure)"


def depict(plot: Described, *data: Any) -> tuple[Picture, str]:
    """Return the picture of `data`, and its sentence to stand below."""
    drawn = picture(plot, *data)
    return drawn, drawn.says


def redraw(look: Callable[[], Sequence[Picture | str]], *dials: Dial, width: int = 710) -> ipywidgets.VBox:
    """Stack the dials and what `look()` returns; look again whenever a dial moves.

    It returns pictures (to be `width` pixels wide) and sentences, the same number every time.
    """
    views = [ipywidgets.HTML(_html(part, width)) for part in look()]

    def turn(_: Any) -> None:
        for view, part in zip(views, look(), strict=True):
            view.value = _html(part, width)

    for dial in dials:
        dial.observe(turn, "index")
    return ipywidgets.VBox([*dials, *views])


def _html(part: Picture | str, width: int) -> str:
    if isinstance(part, str):
        return part
    data = base64.b64encode(part.png).decode()
    return f'<img alt="{escape(part.says)}" width="{width}" src="data:image/png;base64,{data}">'


def poison_dial(rows: Sequence[Row]) -> ipywidgets.VBox:
    """Let the learner turn the poison rate and the training length, and see what was measured there."""
    rates = sorted({row["rate"] for row in rows if row["rate"]})
    lengths = sorted({row["epochs"] for row in rows})
    rate = Dial("poison", {f"{100 * rate:g} %": rate for rate in rates})
    epochs = Dial("epochs", {str(length): length for length in lengths})
    return redraw(lambda: depict(rate_point, rows, rate.value, epochs.value), rate, epochs, width=640)
