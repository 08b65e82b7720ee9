/** A picture from the camera: it runs from one press of the button to the next. */
import { BowerbirdError } from '../lib/errors.js';
import { text } from '../lib/text.js';
import { make } from '../ui/dom.js';

/** Models look at a few hundred pixels; more would only be sent. */
const MAX_SIDE_PX = 1280;
const JPEG_QUALITY = 0.92;

/** What to tell, by the name of the browser's error. @type {Record<string, string>} */
const SENTENCES = {
  NotAllowedError: 'cameraForbidden',
  NotFoundError: 'cameraMissing',
  NotReadableError: 'cameraTaken',
};

/**
 * @typedef {object} CameraParts
 * @property {HTMLButtonElement} button Starts the camera, then takes the picture.
 * @property {HTMLElement} place Where the person sees what it sees.
 * @property {(file: File) => void} onFile Takes the picture.
 * @property {(error: BowerbirdError) => void} onTrouble Told why there is none.
 * @property {(() => void) | null} moveOut Continues in a window of its own; null when this is one.
 */

/** The camera of the Classify tab. */
export class Camera {
  /** @param {CameraParts} parts Where it is shown, and whom it tells. */
  constructor(parts) {
    this.parts = parts;
    /** @type {MediaStream | null} */
    this.stream = null;
    this.isBusy = false;
    // Browsers without one, or that let no extension use it, have no such member.
    parts.button.hidden = !('mediaDevices' in navigator);
    parts.button.addEventListener('click', () => void this.press());
    addEventListener('pagehide', () => this.stop());
    this.stop();
  }

  /** Start the camera, or take the picture that it shows. */
  async press() {
    if (this.isBusy) return;
    this.isBusy = true;
    try {
      await (this.stream === null ? this.#start() : this.#take());
    } catch (error) {
      this.stop();
      const name = error instanceof Error ? error.name : '';
      this.parts.onTrouble(
        new BowerbirdError('unexpected', text(SENTENCES[name] ?? 'cameraSilent')),
      );
    } finally {
      this.isBusy = false;
    }
  }

  /** Let go of the camera. */
  stop() {
    this.stream?.getTracks().forEach((track) => track.stop());
    this.stream = null;
    this.parts.place.replaceChildren();
    this.parts.button.textContent = text('cameraStart');
  }

  async #start() {
    const { button, place, moveOut } = this.parts;
    // A popup closes when the browser asks the person, and with it the question.
    if (moveOut !== null && !(await isAllowed())) return moveOut();
    this.stream = await navigator.mediaDevices.getUserMedia({ video: true });
    const video = make('video', { 'aria-label': text('cameraView'), playsinline: '' });
    video.muted = true;
    video.srcObject = this.stream;
    place.replaceChildren(video);
    await video.play();
    button.textContent = text('cameraTake');
  }

  async #take() {
    const video = this.parts.place.querySelector('video');
    if (video === null) return;
    const file = await snap(video);
    this.stop();
    this.parts.onFile(file);
  }
}

/** @returns {Promise<boolean>} Whether the person has let us use the camera before. */
async function isAllowed() {
  try {
    const { state } = await navigator.permissions.query({ name: 'camera' });
    return state === 'granted';
  } catch {
    return false; // a browser that does not tell
  }
}

/**
 * @param {HTMLVideoElement} video Running.
 * @returns {Promise<File>} What it shows now.
 */
async function snap(video) {
  const { videoWidth, videoHeight } = video;
  const scale = Math.min(1, MAX_SIDE_PX / Math.max(videoWidth, videoHeight, 1));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(videoWidth * scale));
  canvas.height = Math.max(1, Math.round(videoHeight * scale));
  canvas.getContext('2d')?.drawImage(video, 0, 0, canvas.width, canvas.height);
  /** @type {Blob | null} */
  const blob = await new Promise((resolve) => {
    canvas.toBlob(resolve, 'image/jpeg', JPEG_QUALITY);
  });
  if (blob === null) throw new Error('the camera gave no picture');
  return new File([blob], 'camera.jpg', { type: 'image/jpeg' });
}
