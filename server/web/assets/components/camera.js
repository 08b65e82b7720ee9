/**
 * A picture from the camera: it runs from one press of the button to the next, or until the page is left.
 */
import { h, replace } from '../lib/dom.js';
import { messagePlace, runAction } from './notices.js';

/** Models look at a few hundred pixels; more would only be sent. */
const MAX_SIDE_PX = 1280;

/** Why there is no picture, by the name of the browser's error. @type {Record<string, string>} */
const WHY = {
  NotAllowedError: 'The browser did not allow the camera. Its address bar lets you change that.',
  NotFoundError: 'No camera was found.',
  NotReadableError: 'The camera is in use by another program.',
};

/**
 * @param {unknown} error Of the browser.
 * @returns {string[]} What to tell the person.
 */
export function explainCamera(error) {
  const name = error instanceof Error ? error.name : '';
  return [WHY[name] ?? 'The camera does not answer. Drop or choose a picture instead.'];
}

/**
 * @param {HTMLVideoElement} video Running.
 * @returns {Promise<File>} What it shows now.
 */
async function snap(video) {
  const scale = Math.min(1, MAX_SIDE_PX / Math.max(video.videoWidth, video.videoHeight, 1));
  const canvas = h('canvas', {
    width: Math.max(1, Math.round(video.videoWidth * scale)),
    height: Math.max(1, Math.round(video.videoHeight * scale)),
  });
  canvas.getContext('2d')?.drawImage(video, 0, 0, canvas.width, canvas.height);
  /** @type {Blob | null} */
  const blob = await new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', 0.92));
  if (!blob) throw new Error('The camera gave no picture.');
  return new File([blob], 'camera.jpg', { type: 'image/jpeg' });
}

/**
 * @param {{signal: AbortSignal, onFile: (file: File) => void}} options When to stop, and whom to give the picture.
 * @returns {HTMLElement | null} The button and, once pressed, what the camera sees; nothing where no camera may be used.
 */
export function cameraPanel({ signal, onFile }) {
  // Browsers hide cameras from addresses that are neither HTTPS nor this machine.
  if (!('mediaDevices' in navigator)) return null;
  const place = h('div', { class: 'camera' });
  const message = messagePlace();
  /** @type {MediaStream | null} */
  let stream = null;
  const stop = () => {
    stream?.getTracks().forEach((track) => track.stop());
    stream = null;
    replace(place);
    button.textContent = 'Use the camera';
  };
  const start = async () => {
    stream = await navigator.mediaDevices.getUserMedia({ video: true });
    if (signal.aborted) {
      stop();
      return;
    }
    const video = h('video', {
      playsinline: true,
      muted: true,
      'aria-label': 'What the camera sees',
    });
    video.srcObject = stream;
    replace(place, video);
    await video.play();
    button.textContent = 'Take the picture';
  };
  const press = async () => {
    const video = place.querySelector('video');
    if (!video) {
      await start();
      return;
    }
    const file = await snap(video);
    stop();
    onFile(file);
  };
  const button = h(
    'button',
    {
      type: 'button',
      class: 'button',
      'data-testid': 'camera',
      onclick: () => void runAction(button, message, press, explainCamera),
    },
    'Use the camera',
  );
  signal.addEventListener('abort', stop, { once: true });
  return h('div', { class: 'stack tight' }, place, h('div', {}, button), message);
}
