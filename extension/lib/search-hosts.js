/** The search sites by their exact hosts: browsers know no pattern such as `google.*`. */

/** Countries in which Google has an address of its own. Source: google.com/supported_domains. */
const GOOGLE_ENDINGS =
  `com ad ae al am as at az ba be bf bg bi bj bs bt by ca cat cd cf cg ch ci cl cm
  cn co.ao co.bw co.ck co.cr co.id co.il co.in co.jp co.ke co.kr co.ls co.ma co.mz co.nz co.th co.tz
  co.ug co.uk co.uz co.ve co.vi co.za co.zm co.zw com.af com.ag com.ar com.au com.bd com.bh com.bn
  com.bo com.br com.bz com.co com.cu com.cy com.do com.ec com.eg com.et com.fj com.gh com.gi com.gt
  com.hk com.jm com.kh com.kw com.lb com.ly com.mm com.mt com.mx com.my com.na com.ng com.ni com.np
  com.om com.pa com.pe com.pg com.ph com.pk com.pr com.py com.qa com.sa com.sb com.sg com.sl com.sv
  com.tj com.tr com.tw com.ua com.uy com.vc com.vn cv cz de dj dk dm dz ee es fi fm fr ga ge gg gl gm
  gr gy hn hr ht hu ie im iq is it je jo kg ki kz la li lk lt lu lv md me mg mk ml mn mu mv mw ne nl no
  nr nu pl pn ps pt ro rs ru rw sc se sh si sk sm sn so sr st td tg tl tm tn to tt vu ws`.split(
    /\s+/,
  );

/**
 * @typedef {object} SearchSite
 * @property {string} id Id of its adapter.
 * @property {string} name For the person.
 * @property {string[]} hosts Where its result pages are.
 */

/** @type {readonly SearchSite[]} The sites that have an adapter. */
export const SEARCH_SITES = [
  {
    id: 'google',
    name: 'Google',
    hosts: GOOGLE_ENDINGS.map((ending) => `www.google.${ending}`),
  },
  { id: 'bing', name: 'Bing', hosts: ['www.bing.com', 'cn.bing.com'] },
  { id: 'duckduckgo', name: 'DuckDuckGo', hosts: ['duckduckgo.com'] },
  { id: 'yandex', name: 'Yandex', hosts: ['yandex.com', 'yandex.ru', 'ya.ru'] },
  { id: 'baidu', name: 'Baidu', hosts: ['image.baidu.com'] },
  { id: 'ecosia', name: 'Ecosia', hosts: ['www.ecosia.org'] },
  { id: 'flickr', name: 'Flickr', hosts: ['www.flickr.com'] },
  { id: 'unsplash', name: 'Unsplash', hosts: ['unsplash.com'] },
  { id: 'pinterest', name: 'Pinterest', hosts: ['www.pinterest.com'] },
  { id: 'wikimedia', name: 'Wikimedia Commons', hosts: ['commons.wikimedia.org'] },
  { id: 'openverse', name: 'Openverse', hosts: ['openverse.org'] },
];

/**
 * Name the permissions for a site.
 *
 * @param {SearchSite} site The site.
 * @returns {string[]} Match patterns.
 */
export function originsOf({ hosts }) {
  return hosts.map((host) => `https://${host}/*`);
}

/** All of them, as the manifest asks for them. */
export const SEARCH_ORIGINS = SEARCH_SITES.flatMap(originsOf);
