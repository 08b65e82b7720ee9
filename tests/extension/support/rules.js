/** The browser's session rules in memory: kept and checked as the browser does, applied to nothing. */

/** Stands for `ext.declarativeNetRequest`. */
export class MemoryRules {
  /** @param {object[]} [rules] What is set already. */
  constructor(rules = []) {
    this.rules = structuredClone(rules);
    /** Each rule that was ever set. */
    this.history = [];
  }

  async getSessionRules() {
    return structuredClone(this.rules);
  }

  async updateSessionRules({ removeRuleIds = [], addRules = [] }) {
    const left = this.rules.filter(({ id }) => !removeRuleIds.includes(id));
    for (const { id } of addRules) {
      if (left.some((each) => each.id === id)) throw new Error(`Rule ${id} is there already.`);
    }
    this.rules = [...left, ...structuredClone(addRules)];
    this.history.push(...structuredClone(addRules));
  }
}
