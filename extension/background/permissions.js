/** The hosts that the person allowed after installation. */

/**
 * Give them back.
 *
 * @param {Pick<typeof chrome.permissions, 'getAll' | 'remove'>} permissions The browser's own.
 * @param {string[]} required Match patterns of the manifest, which no extension can give back.
 */
export async function dropOptionalHosts(permissions, required) {
  const { origins = [] } = await permissions.getAll();
  const optional = origins.filter((each) => !required.includes(each));
  if (optional.length > 0) await permissions.remove({ origins: optional });
}
