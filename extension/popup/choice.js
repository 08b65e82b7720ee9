/** Which candidates are shown, known and chosen, apart from how a page shows them. */

/** @typedef {import('../lib/types.js').Candidate} Candidate */

/**
 * A choice among candidates. Places count those that pass the filters, indexes all of them: those that
 * don't pass keep their choice but never count as chosen.
 */
export class Choice {
  /**
   * @param {Candidate[]} candidates In page order; all are chosen at first, but for some.
   * @param {string[]} [leftOutUrls] Addresses of those that the person left out in the page itself.
   */
  constructor(candidates, leftOutUrls = []) {
    this.candidates = candidates;
    this.leftOutUrls = new Set(leftOutUrls);
    this.indexes = candidates.map((_candidate, index) => index);
    /** @type {Set<number>} */
    this.knownIndexes = new Set();
    this.chosenIndexes = this.#findNew();
    /** Whether the person chose: what is learnt later then leaves the choice alone. */
    this.isTouched = false;
    /** Place where a range begins. */
    this.anchor = 0;
  }

  /** @returns {number} How many pass the filters. */
  get shownCount() {
    return this.indexes.length;
  }

  /** @returns {Candidate[]} Those that are shown and chosen, in page order. */
  get chosen() {
    return this.indexes.flatMap((index) =>
      this.chosenIndexes.has(index) ? (this.candidates[index] ?? []) : [],
    );
  }

  /**
   * Look at one.
   *
   * @param {number} place Its place among those that pass the filters.
   * @returns {{candidate: Candidate, isChosen: boolean, isKnown: boolean} | null} What is there; null
   *   beyond the end.
   */
  at(place) {
    const index = this.indexes[place];
    const candidate = index === undefined ? undefined : this.candidates[index];
    if (index === undefined || candidate === undefined) return null;
    const isChosen = this.chosenIndexes.has(index);
    return { candidate, isChosen, isKnown: this.knownIndexes.has(index) };
  }

  /** @param {(candidate: Candidate) => boolean} passes Which to show. */
  filter(passes) {
    this.indexes = this.candidates.flatMap((candidate, index) =>
      passes(candidate) ? [index] : [],
    );
    this.anchor = 0;
  }

  /**
   * Mark those that the dataset has, and choose the others, unless the person has chosen already.
   *
   * @param {number[]} indexes Indexes of those that it has.
   */
  markKnown(indexes) {
    this.knownIndexes = new Set(indexes);
    if (this.isTouched) return;
    this.chosenIndexes = this.#findNew();
  }

  /** @returns {Set<number>} Indexes of those that neither the dataset has nor the person left out. */
  #findNew() {
    const isNew = (/** @type {Candidate} */ { url }, /** @type {number} */ index) =>
      !this.knownIndexes.has(index) && !this.leftOutUrls.has(url);
    return new Set(this.candidates.flatMap((each, index) => (isNew(each, index) ? [index] : [])));
  }

  /**
   * Count those that are shown, new, and wanted.
   *
   * @param {(candidate: Candidate) => boolean} isWanted Which.
   * @returns {number} How many neither the dataset has nor the person left out.
   */
  countNew(isWanted) {
    return this.#findWanted(isWanted).size;
  }

  /** @param {(candidate: Candidate) => boolean} isWanted Which to choose of the new ones; no others. */
  chooseOnly(isWanted) {
    const wanted = this.#findWanted(isWanted);
    this.isTouched = true;
    for (const index of this.indexes) {
      if (wanted.has(index)) this.chosenIndexes.add(index);
      else this.chosenIndexes.delete(index);
    }
  }

  /**
   * Find those that are shown, new, and wanted.
   *
   * @param {(candidate: Candidate) => boolean} isWanted Which.
   * @returns {Set<number>} Their indexes.
   */
  #findWanted(isWanted) {
    const fresh = this.#findNew();
    return new Set(
      this.indexes.filter((index) => {
        const candidate = this.candidates[index];
        return candidate !== undefined && fresh.has(index) && isWanted(candidate);
      }),
    );
  }

  /** @param {number} place Which to choose, or choose no more. A range may begin there. */
  toggle(place) {
    this.anchor = place;
    this.#set(place, place, !this.at(place)?.isChosen);
  }

  /** @param {number} place End of a range: all of it becomes as the place is where it begins. */
  extendTo(place) {
    const isChosen = this.at(this.anchor)?.isChosen ?? true;
    this.#set(Math.min(this.anchor, place), Math.max(this.anchor, place), isChosen);
  }

  /** @param {(isChosen: boolean) => boolean} decide New choice for each, from the present one. */
  chooseAll(decide) {
    for (let place = 0; place < this.indexes.length; place += 1) {
      this.#set(place, place, decide(this.at(place)?.isChosen ?? false));
    }
  }

  /**
   * Choose, or choose no more.
   *
   * @param {number} first First place.
   * @param {number} last Last place.
   * @param {boolean} isChosen Which of the two.
   */
  #set(first, last, isChosen) {
    this.isTouched = true;
    for (const index of this.indexes.slice(first, last + 1)) {
      if (isChosen) this.chosenIndexes.add(index);
      else this.chosenIndexes.delete(index);
    }
  }
}
