// One stroke of the brush, run in the page: milliseconds of a frame (median and longest) and of the stroke's end.
async (size) => {
  const slider = document.getElementById("size");
  slider.value = size;
  slider.dispatchEvent(new Event("input"));
  slider.dispatchEvent(new Event("change"));
  const canvas = document.getElementById("canvas");
  const { left, top, width, height } = canvas.getBoundingClientRect();
  canvas.setPointerCapture = () => {};
  const send = (kind, x, y) => canvas.dispatchEvent(new PointerEvent(kind, { pointerId: 1, buttons: 1,
    pointerType: "mouse", bubbles: true, clientX: left + width * x, clientY: top + height * y }));
  const frames = [];
  send("pointerdown", 0.3, 0.4);
  for (let step = 0; step < 40; step++) {
    const began = performance.now();
    send("pointermove", 0.3 + step * 0.01, 0.4 + step * 0.005);
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    frames.push(performance.now() - began);
  }
  const began = performance.now();
  send("pointerup", 0.7, 0.6);
  const lifted = performance.now() - began;
  frames.sort((a, b) => a - b);
  return { median: frames[20], longest: frames[39], lifted };
}
