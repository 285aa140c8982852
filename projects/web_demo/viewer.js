// Runs once in Gradio's HTML component: `element`, `props` and `watch` are Gradio's.
const find = (selector) => element.querySelector(selector);
let labels = null; // class index of each pixel, width * height
let size = [0, 0];
let classes = new Map();
let newest = 0; // pictures are decoded at their own pace; an older one never wins

async function decode(uri) {
  const image = new Image();
  image.src = uri;
  await image.decode();
  return image;
}

function fit(canvas) {
  [canvas.width, canvas.height] = size;
  return canvas.getContext('2d');
}

function readLabels(image) {
  const canvas = document.createElement('canvas');
  [canvas.width, canvas.height] = size;
  const context = canvas.getContext('2d', { willReadFrequently: true });
  context.drawImage(image, 0, 0);
  const pixels = context.getImageData(0, 0, ...size).data;
  return Uint16Array.from({ length: size[0] * size[1] }, (_, i) =>
    pixels[4 * i] + 256 * pixels[4 * i + 1]);
}

// Fill a canvas with what `colourOf` gives each class: [red, green, blue, alpha].
function colour(canvas, colourOf) {
  const context = fit(canvas);
  const picture = context.createImageData(...size);
  const words = new Uint32Array(picture.data.buffer);
  const table = new Uint32Array(65536);
  for (const index of classes.keys()) {
    table[index] = new Uint32Array(new Uint8Array(colourOf(index)).buffer)[0];
  }
  for (let i = 0; i < words.length; i++) words[i] = table[labels[i]];
  context.putImageData(picture, 0, 0);
}

function percent(share) {
  return share < 0.001 ? '< 0.1 %' : `${(100 * share).toFixed(1)} %`;
}

function entry({ index, name, colour, share }) {
  const button = document.createElement('button');
  button.dataset.index = index;
  button.type = 'button';
  button.title = name;
  const [swatch, label, value] = ['i', 'span', 'b'].map((tag) =>
    button.appendChild(document.createElement(tag)));
  swatch.style.background = `rgb(${colour.join(' ')})`;
  label.textContent = name; // names come from files: never as HTML
  value.textContent = percent(share);
  return button;
}

function light(index) {
  for (const button of element.querySelectorAll('.legend button')) {
    button.classList.toggle('lit', Number(button.dataset.index) === index);
  }
}

function highlight(index) {
  light(index);
  find('.stage').classList.toggle('veiled', index !== null);
  if (index === null || !labels) return;
  colour(find('.veil'), (other) => (other === index ? [0, 0, 0, 0] : [15, 18, 28, 165]));
}

function tell(text, isError) {
  find('.note').textContent = text;
  find('.note').hidden = !text;
  find('.note').classList.toggle('error', isError);
}

function fail(text) {
  labels = null;
  tell(text, true);
  find('.stage').classList.remove('filled', 'veiled');
  for (const part of ['.latency', '.legend', '.absent']) find(part).replaceChildren();
}

async function show() {
  if (!props.value) return;
  const turn = ++newest;
  const data = JSON.parse(props.value);
  if (data.error) {
    fail(data.error);
    return;
  }
  const [image, map] = await Promise.all([decode(data.image), decode(data.labels)]);
  if (turn !== newest) return;
  size = [image.naturalWidth, image.naturalHeight];
  labels = readLabels(map);
  classes = new Map(data.classes.map((one) => [one.index, one]));
  fit(find('.picture')).drawImage(image, 0, 0);
  colour(find('.paint'), (index) => [...classes.get(index).colour, 255]);
  find('.stage').classList.add('filled');
  tell(data.note, false);
  find('.latency').textContent = data.latency;
  find('.legend').replaceChildren(...data.classes.map(entry));
  find('.absent').textContent =
    data.absent ? `${data.absent} other classes do not occur.` : '';
  highlight(null);
}

// Blending is the browser's own: moving the slider costs nothing.
element.addEventListener('input', (event) => {
  if (event.target.type !== 'range') return;
  element.style.setProperty('--opacity', event.target.value);
});

const entryOf = (event) => event.target.closest('.legend button');
for (const kind of ['pointerover', 'focusin']) {
  element.addEventListener(kind, (event) => {
    const button = entryOf(event);
    if (button) highlight(Number(button.dataset.index));
  });
}
for (const kind of ['pointerout', 'focusout']) {
  element.addEventListener(kind, (event) => {
    if (entryOf(event)) highlight(null);
  });
}

find('.stage').addEventListener('pointermove', (event) => {
  if (!labels) return;
  const box = find('.picture').getBoundingClientRect();
  const [x, y] = [event.clientX - box.left, event.clientY - box.top];
  const column = Math.floor((x / box.width) * size[0]);
  const row = Math.floor((y / box.height) * size[1]);
  const found = classes.get(labels[row * size[0] + column]);
  const inside = found && column >= 0 && column < size[0];
  find('.tip').hidden = !inside;
  light(inside ? found.index : null);
  if (!inside) return;
  find('.tip').textContent = `${found.name}, ${percent(found.share)} of the picture`;
  find('.tip').style.left = `${x}px`;
  find('.tip').style.top = `${Math.max(y, 48)}px`;
});
find('.stage').addEventListener('pointerleave', () => {
  find('.tip').hidden = true;
  light(null);
});

watch('value', show);
show();
