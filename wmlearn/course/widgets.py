"""Things to play with. Each has a static twin in the notebook, drawn without a browser."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import anywidget
import ipywidgets
import torch
import traitlets
from torch import Tensor, nn

from ..data.digits import as_mnist
from ..plots.canvas import Described, Row, png
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
    + " Draw with the mouse or a finger, or choose a digit from the list.");
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
  model.on("change:ink", paint);
  paint();
  el.appendChild(canvas);
}
export default { render };
"""


class DrawPad(anywidget.AnyWidget):
    """A canvas of 28 x 28 grey values; `ink` holds them row by row, one byte each."""

    _esm = PAD
    # Bytes would refuse what a browser sends, and say nothing
    ink = traitlets.CBytes(bytes(784)).tag(sync=True)


def draw_and_stamp(networks: Mapping[str, nn.Module], trigger: Trigger, digits: Tensor) -> ipywidgets.VBox:
    """Let the learner draw a digit, stamp the trigger on it, and see what each network reads.

    `digits` (10, 1, 28, 28) are there to choose from, with the keyboard too.
    """
    pad = DrawPad()
    clear = ipywidgets.Button(description="Clear", tooltip="Wipe the pad")
    choice = ipywidgets.Dropdown(options=["draw one", *map(str, range(10))], description="Digit")
    stamp = ipywidgets.Checkbox(description="stamp the trigger", indent=False)
    answer = ipywidgets.HTML()

    def wipe(_: Any) -> None:
        choice.value = "draw one"
        pad.ink = bytes(784)

    def choose(change: Any) -> None:
        if change["new"] != "draw one":
            pad.ink = digits[int(change["new"])].mul(255).round().to(torch.uint8).cpu().numpy().tobytes()

    def read(_: Any = None) -> None:
        answer.value = " · ".join(reading(networks, pad.ink, trigger if stamp.value else None))

    clear.on_click(wipe)
    choice.observe(choose, "value")
    pad.observe(read, "ink")
    stamp.observe(read, "value")
    read()
    return ipywidgets.VBox([pad, ipywidgets.HBox([choice, stamp, clear]), answer])


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


def redraw(
    look: Callable[[], Sequence[bytes | str]], *controls: ipywidgets.DOMWidget, width: int = 710
) -> ipywidgets.VBox:
    """Stack the controls and what `look()` returns; look again whenever a control moves.

    It returns pictures (PNG, to be `width` pixels wide) and sentences, the same number every time.
    """
    views = [_view(part, width) for part in look()]

    def turn(_: Any) -> None:
        for view, part in zip(views, look(), strict=True):
            view.value = part

    for control in controls:
        control.observe(turn, "value")
    return ipywidgets.VBox([*controls, *views])


def _view(part: bytes | str, width: int) -> ipywidgets.Image | ipywidgets.HTML:
    if isinstance(part, bytes):
        return ipywidgets.Image(value=part, format="png", width=width)
    return ipywidgets.HTML(part)


def depict(plot: Described, *data: Any) -> tuple[bytes, str]:
    """Return the picture of `data` as a PNG, and its sentence."""
    return png(plot, *data)[0], plot.says(*data)


def poison_dial(rows: Sequence[Row]) -> ipywidgets.VBox:
    """Let the learner turn the poison rate and the training length, and see what was measured there."""
    rates = sorted({row["rate"] for row in rows if row["rate"]})
    lengths = sorted({row["epochs"] for row in rows})
    style = {"style": {"description_width": "60px"}, "layout": ipywidgets.Layout(width="420px")}
    options = [(f"{100 * rate:g} %", rate) for rate in rates]
    rate = ipywidgets.SelectionSlider(options=options, description="poison", **style)
    epochs = ipywidgets.SelectionSlider(options=lengths, description="epochs", **style)
    return redraw(lambda: depict(rate_point, rows, rate.value, epochs.value), rate, epochs, width=640)
