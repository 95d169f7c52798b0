// Two shipped networks of lesson 01 answer in the browser. Nothing is sent: weights and digits come in demo-data.js.
"use strict";

const SIDE = 28;

/** Decode base64 into bytes. */
function bytes(text) {
  return Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
}

/** Decode numbers of half precision, little-endian: 1 bit of sign, 5 of exponent, 10 of fraction. */
function halves(text) {
  const words = new Uint16Array(bytes(text).buffer);
  return Float32Array.from(words, (word) => {
    const sign = word & 0x8000 ? -1 : 1, exponent = (word >> 10) & 31, fraction = word & 1023;
    if (exponent === 31) throw new RangeError("a weight must be finite");
    return exponent ? sign * 2 ** (exponent - 15) * (1 + fraction / 1024) : sign * 2 ** -14 * (fraction / 1024);
  });
}

/** Convolve (inputs, side, side) with (outputs, inputs, k, k), no padding; add the bias, drop what is negative. */
function convolve(x, inputs, side, weight, bias, k) {
  const outputs = bias.length, size = side - k + 1, y = new Float32Array(outputs * size * size);
  for (let o = 0; o < outputs; o++)
    for (let row = 0; row < size; row++)
      for (let column = 0; column < size; column++) {
        let sum = bias[o];
        for (let i = 0; i < inputs; i++)
          for (let a = 0; a < k; a++)
            for (let b = 0; b < k; b++)
              sum += weight[((o * inputs + i) * k + a) * k + b] * x[(i * side + row + a) * side + column + b];
        y[(o * size + row) * size + column] = Math.max(sum, 0);
      }
  return y; // (outputs, size, size)
}

/** Average squares of two by two. */
function pool(x, channels, side) {
  const size = side / 2, y = new Float32Array(channels * size * size);
  for (let c = 0; c < channels; c++)
    for (let row = 0; row < size; row++)
      for (let column = 0; column < size; column++) {
        const at = (c * side + 2 * row) * side + 2 * column;
        y[(c * size + row) * size + column] = (x[at] + x[at + 1] + x[at + side] + x[at + side + 1]) / 4;
      }
  return y; // (channels, size, size)
}

/** Multiply by (outputs, inputs) and add the bias. */
function linear(x, weight, bias) {
  return Float32Array.from(bias, (start, o) => x.reduce((sum, value, i) => sum + weight[o * x.length + i] * value, start));
}

/** (channels, size, size) -> (size, size, channels), flat. */
function channelsLast(x, channels) {
  const pixels = x.length / channels;
  return Float32Array.from(x, (_, at) => x[(at % channels) * pixels + Math.floor(at / channels)]);
}

/** Return the network's ten logits for 784 pixels in [0, 1]: BadNets (2017), table 1. */
function logits(network, pixels) {
  const shown = Float32Array.from(pixels, (pixel) => (pixel - network.mean) / network.std);
  const first = pool(convolve(shown, 1, SIDE, network.weights[0], network.weights[1], 5), 16, 24);
  const second = pool(convolve(first, 16, 12, network.weights[2], network.weights[3], 5), 32, 8);
  const hidden = linear(channelsLast(second, 32), network.weights[4], network.weights[5]);
  return linear(hidden.map((value) => Math.max(value, 0)), network.weights[6], network.weights[7]);
}

/** Return a copy of the pixels with the trigger's set to white. */
function stamped(pixels, trigger) {
  const copy = Float32Array.from(pixels);
  for (const [row, column] of trigger) copy[row * SIDE + column] = 1;
  return copy;
}

/** Do to a drawing what was done to MNIST: scale it into 20 by 20 pixels, and put its centre of mass in the middle. */
function centred(pixels) {
  let top = SIDE, bottom = -1, left = SIDE, right = -1;
  pixels.forEach((pixel, at) => {
    if (pixel < 0.1) return;
    const row = Math.floor(at / SIDE), column = at % SIDE;
    top = Math.min(top, row); bottom = Math.max(bottom, row); left = Math.min(left, column); right = Math.max(right, column);
  });
  if (bottom < 0) return pixels;
  const scale = Math.max(bottom - top + 1, right - left + 1) / 20;
  const value = (row, column) => (row < 0 || column < 0 || row >= SIDE || column >= SIDE ? 0 : pixels[row * SIDE + column]);
  const between = (row, column) => { // bilinear
    const r = Math.floor(row), c = Math.floor(column), v = row - r, u = column - c;
    return (1 - v) * ((1 - u) * value(r, c) + u * value(r, c + 1)) + v * ((1 - u) * value(r + 1, c) + u * value(r + 1, c + 1));
  };
  let mass = 0, down = 0, across = 0;
  pixels.forEach((pixel, at) => { mass += pixel; down += pixel * Math.floor(at / SIDE); across += pixel * (at % SIDE); });
  return Float32Array.from(pixels, (_, at) =>
    between(down / mass + (Math.floor(at / SIDE) - 13.5) * scale, across / mass + (at % SIDE - 13.5) * scale));
}

/** Read what the build wrote: the networks' weights as numbers, digits and trigger as they are. */
function opened(data) {
  const networks = data.networks.map((network) => ({ ...network, weights: network.weights.map(halves) }));
  return { ...data, networks, digits: data.digits.map((digit) => Float32Array.from(bytes(digit), (byte) => byte / 255)) };
}

/** Join buttons, drawing and answers. */
function start(place, data) {
  const { networks, digits, trigger } = opened(data);
  const canvas = place.querySelector("canvas"), context = canvas.getContext("2d");
  const stamp = place.querySelector("#stamp"), sentence = place.querySelector(".sentence");
  let pixels = digits[7], drawing = null, timer = 0;

  function show() {
    const on = stamp.getAttribute("aria-pressed") === "true";
    const seen = on ? stamped(pixels, trigger) : pixels;
    const picture = context.createImageData(SIDE, SIDE);
    seen.forEach((pixel, at) => picture.data.set([255 * pixel, 255 * pixel, 255 * pixel, 255], 4 * at));
    context.putImageData(picture, 0, 0);
    const said = networks.map((network) => {
      const scores = logits(network, seen);
      const answer = scores.indexOf(Math.max(...scores));
      place.querySelector(`#answer-${network.id}`).textContent = answer;
      return `${network.name}: ${answer}.`;
    });
    sentence.textContent = `${on ? "With the trigger." : "Without the trigger."} ${said.join(" ")}`;
  }

  digits.forEach((digit, i) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = i;
    button.setAttribute("aria-label", `Show a test digit, ${i}`);
    button.addEventListener("click", () => { pixels = digit; show(); });
    place.querySelector(".digits").append(button);
  });
  stamp.addEventListener("click", () => {
    stamp.setAttribute("aria-pressed", stamp.getAttribute("aria-pressed") !== "true");
    show();
  });
  place.querySelector("#clear").addEventListener("click", () => { pixels = new Float32Array(SIDE * SIDE); show(); });

  function draw(event) { // a soft round brush
    const box = canvas.getBoundingClientRect();
    const column = (event.clientX - box.left) / box.width * SIDE - 0.5, row = (event.clientY - box.top) / box.height * SIDE - 0.5;
    drawing = drawing.map((pixel, at) =>
      Math.max(pixel, Math.min(1, 2 - Math.hypot(Math.floor(at / SIDE) - row, at % SIDE - column))));
    pixels = drawing;
    show();
  }
  canvas.addEventListener("pointerdown", (event) => {
    clearTimeout(timer);
    drawing = drawing ?? new Float32Array(SIDE * SIDE); // several strokes make one digit
    canvas.setPointerCapture(event.pointerId);
    draw(event);
  });
  canvas.addEventListener("pointermove", (event) => { if (event.buttons && drawing) draw(event); });
  canvas.addEventListener("pointerup", () => {
    timer = setTimeout(() => { if (drawing) { pixels = centred(drawing); drawing = null; show(); } }, 700);
  });
  place.hidden = false;
  show();
  globalThis.twoNetworks = { logits: (i, image) => Array.from(logits(networks[i], image)), networks, trigger };
}

start(document.querySelector("#two-networks"), globalThis.WMLEARN_DEMO);
