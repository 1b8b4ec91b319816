// What is seen of consent notices in one document: found here, judged in Python. Runs in a world of its own, so that the
// page's scripts see nothing of it, and changes nothing but by `press`, `off` and `hide`.
(name, argument) => {
  const make = () => {
    const closed = new WeakMap(), things = new Map(), ids = new WeakMap(), notices = new Map();
    let last = 0, before = new Set(), pressed = [], stop = null;
    const id = thing => {
      if (!ids.has(thing)) { ids.set(thing, ++last); things.set(last, thing); }
      return ids.get(thing);
    };
    const rootOf = host => host.shadowRoot || closed.get(host) || null;
    const up = node => node.assignedSlot || node.parentElement || (node.getRootNode() instanceof ShadowRoot ? node.getRootNode().host : null);
    const roots = () => {
      const found = [document];
      for (let at = 0; at < found.length && at < 300; at++) {
        for (const one of found[at].querySelectorAll('*')) if (rootOf(one)) found.push(rootOf(one));
      }
      return found;
    };
    // as it is drawn: a shadow tree in place of its host's children, what is slotted in place of its slot
    const under = node => {
      if (node.localName === 'slot' && node.assignedNodes().length) return node.assignedNodes({flatten: true});
      return (rootOf(node) || node).childNodes;
    };
    const inside = (within, selector) => {
      const found = [];
      const visit = node => {
        for (const one of under(node)) {
          if (one.nodeType !== 1) continue;
          if (one.matches(selector)) found.push(one);
          visit(one);
        }
      };
      visit(within);
      return found;
    };
    const textOf = node => {
      const parts = [];
      const visit = one => {
        if (one.nodeType === 3) parts.push(one.nodeValue);
        else if (one.nodeType === 1 || one.nodeType === 11) {
          if (one.nodeType === 1 && /^(script|style|noscript|template|svg)$/i.test(one.localName)) return;
          for (const child of under(one)) visit(child);
          if (one.nodeType === 1 && !/^(span|b|i|em|strong|a|u|small)$/.test(one.localName)) parts.push(' ');
        }
      };
      visit(node);
      return parts.join('').replace(/\s+/g, ' ').trim();
    };
    const isVisible = node => {
      if (!node.isConnected || !node.checkVisibility({opacityProperty: true, visibilityProperty: true, contentVisibilityAuto: false})) return false;
      const box = node.getBoundingClientRect();
      if (getComputedStyle(node).display === 'contents') return true;
      return box.width > 1 && box.height > 1;
    };
    const isDrawn = (text, parent) => {
      const range = document.createRange();
      range.selectNodeContents(text);
      const box = range.getBoundingClientRect();
      return box.width > 1 && box.height > 1 && (text.parentElement || parent).checkVisibility({opacityProperty: true, visibilityProperty: true});
    };
    const isOff = node => {
      const box = node.getBoundingClientRect();
      return box.width > 0 && (box.bottom <= 2 || box.right <= 2 || box.top >= innerHeight - 2 || box.left >= innerWidth - 2);
    };
    const isOverlay = node => {
      const style = getComputedStyle(node);
      if (style.position === 'fixed' || style.position === 'sticky') return true;
      if (style.position === 'absolute' && Number(style.zIndex) >= 10) return true;
      if (node.matches('dialog[open], [role=dialog], [role=alertdialog], [aria-modal=true]')) return true;
      try { return node.matches(':popover-open'); } catch { return false; }
    };
    const PRESS = 'button, input[type=button], input[type=submit], input[type=reset], input[type=image], [role=button], a, [onclick], summary, [role=link]';
    const TOGGLE = 'input[type=checkbox], [role=switch], [role=checkbox]';
    const wordsOn = node => {
      const said = node.localName === 'input' ? node.value : (node.innerText || node.textContent || '');
      const pick = [said, node.getAttribute('aria-label'), node.title, node.querySelector && node.querySelector('img[alt]')?.alt, node.localName === 'input' ? node.alt : ''];
      return (pick.find(one => one && one.trim()) || '').replace(/\s+/g, ' ').trim().slice(0, 200);
    };
    const leaves = node => {
      const link = node.closest('a[href]');
      if (!link || link.getAttribute('role') === 'button') return false;
      const href = link.getAttribute('href').trim();
      if (!href || href.startsWith('#') || /^javascript:/i.test(href)) return false;
      try { return new URL(href, document.baseURI).href.split('#')[0] !== location.href.split('#')[0]; } catch { return true; }
    };
    const isPressable = (node, limit) => {
      if (node.matches(PRESS)) return !node.disabled && node.getAttribute('aria-disabled') !== 'true';
      if (node.matches(TOGGLE + ', input, select, textarea, label')) return false;
      if (getComputedStyle(node).cursor !== 'pointer' && !node.hasAttribute('tabindex')) return false;
      const said = node.textContent.trim();
      return said.length > 0 && said.length <= limit;
    };
    const buttonsIn = (within, limit) => {
      const found = [], taken = new Set();
      for (const node of inside(within, '*')) {
        let above = up(node), covered = false;
        for (let hops = 0; above && above !== within && hops < 6; hops++, above = up(above)) if (taken.has(above)) { covered = true; break; }
        if (covered || node.localName === 'svg' || !isPressable(node, limit) || !isVisible(node)) continue;
        taken.add(node);
        found.push(node);
        if (found.length >= 60) break;
      }
      return found;
    };
    const isInline = node => {
      if (node.localName !== 'a') return false;
      const parent = node.parentElement;
      return !!parent && getComputedStyle(node).display === 'inline' && textOf(parent).length > wordsOn(node).length + 40;
    };
    const labelOf = node => {
      const by = node.labels && node.labels[0] ? node.labels[0].textContent : '';
      const row = node.closest('li, tr, label, [class*=category], [class*=item], [class*=row]');
      return (node.getAttribute('aria-label') || by || (row ? row.textContent : '') || node.name || node.value || '').replace(/\s+/g, ' ').trim().slice(0, 120);
    };
    const togglesIn = within => inside(within, TOGGLE).slice(0, 80).map(node => ({
      id: id(node), text: labelOf(node),
      on: node.localName === 'input' ? node.checked : node.getAttribute('aria-checked') === 'true',
      fixed: node.disabled || node.readOnly === true || node.getAttribute('aria-disabled') === 'true' || node.getAttribute('aria-readonly') === 'true',
    }));
    const about = () => [location.pathname, document.title, document.querySelector('h1')?.textContent || ''].join(' ').slice(0, 300);
    const tell = (node, place, layer, words) => {
      const text = textOf(node);
      notices.set(id(node), node);
      return {
        id: id(node), text: text.slice(0, 4000), place, layer, about: about(),
        asks: inside(node, 'input').some(one => /^(email|text|tel|password|date|number|)$/.test(one.getAttribute('type') || '') && isVisible(one)),
        buttons: buttonsIn(node, words.label).map(one => ({id: id(one), text: wordsOn(one), leaves: leaves(one)})),
        toggles: togglesIn(node),
      };
    };
    const placeOf = (hit, words) => {
      let flow = null, overlay = null, tall = 0;
      for (let node = hit; node && node !== document.body && node !== document.documentElement; node = up(node)) {
        const text = textOf(node).length;
        if (text > words.notice) break;
        const strong = buttonsIn(node, words.label).filter(one => !isInline(one));
        if (!strong.length) continue;
        if (isOverlay(node) && !isOff(node)) { overlay = node; break; }
        if (!flow || (text <= tall * 1.5 + 80 && !/^(main|article|body)$/.test(node.localName))) { if (!flow) tall = text; flow = node; }
      }
      if (overlay) return [overlay, 'overlay'];
      if (flow && isOff(flow) && getComputedStyle(flow).position === 'fixed') return null;
      if (flow) return [flow, 'flow'];
      const limit = window === window.top ? words.page : 20000;
      if (document.body && textOf(document.body).length <= limit && buttonsIn(document.body, words.label).length) return [document.body, 'page'];
      return null;
    };
    const hits = words => {
      const expression = new RegExp(words.words, 'iu'), found = [];
      for (const root of roots()) {
        const walk = document.createTreeWalker(root === document ? document.documentElement : root, NodeFilter.SHOW_TEXT);
        for (let node = walk.nextNode(); node && found.length < 60; node = walk.nextNode()) {
          if (node.nodeValue.length < 3 || !expression.test(node.nodeValue)) continue;
          const parent = node.assignedSlot || node.parentElement || (node.getRootNode() instanceof ShadowRoot ? node.getRootNode().host : null);
          if (!parent || /^(script|style|noscript|template|textarea|title|option)$/i.test((node.parentElement || parent).localName)) continue;
          if (isDrawn(node, parent)) found.push(parent);
        }
      }
      return found;
    };
    const overlays = () => {
      const found = [];
      for (const root of roots()) for (const node of root.querySelectorAll('*')) {
        if (found.length < 40 && isOverlay(node) && isVisible(node)) found.push(node);
      }
      return found;
    };
    const isLocked = () => {
      const root = document.documentElement, body = document.body;
      if (!body) return false;
      const still = node => /hidden|clip/.test(getComputedStyle(node).overflowY) || getComputedStyle(node).position === 'fixed';
      return (still(root) || still(body)) && Math.max(root.scrollHeight, body.scrollHeight) > innerHeight + 4;
    };
    const traces = want => {
      const urls = new RegExp(want.urls, 'i'), inline = new RegExp(want.inline, 'i'), found = new Set();
      for (const one of document.querySelectorAll('script, link[href], iframe')) {
        const from = one.src || one.href || '';
        if (from) { if (urls.test(from.split(/[?#]/)[0])) found.add(from.slice(0, 300)); }
        else if (one.localName === 'script' && inline.test(one.textContent.slice(0, 30000))) found.add('inline: ' + one.textContent.match(inline)[0].slice(0, 60));
      }
      if (document.querySelector('iframe[name="__tcfapiLocator"], iframe[name="__gppLocator"], iframe[name="__uspapiLocator"]')) found.add('locator frame');
      return [...found].slice(0, 30);
    };
    const path = node => {
      const steps = [];
      for (let at = node; at && at !== document.documentElement; at = at.parentElement) {
        if (!at.parentElement) { at = at.getRootNode().host; if (!at) return null; steps.length = 0; }
        steps.unshift([...at.parentElement.children].indexOf(at));
      }
      return steps;
    };
    return {
      look({words, marks}) {
        const seen = new Map();
        for (const hit of hits(words)) {
          const where = placeOf(hit, words);
          if (where && !seen.has(where[0])) seen.set(where[0], where[1]);
        }
        return {
          notices: [...seen].slice(0, 12).map(([node, place]) => tell(node, place, 1, words)),
          traces: traces(marks), locked: isLocked(), url: location.href.slice(0, 2000), hosts: this.hosts().length,
        };
      },
      // the second layer: what came up since settings were pressed, and the notice itself
      deeper({words, notice}) {
        const found = overlays().filter(node => !before.has(node));
        const own = things.get(notice);
        for (let node = own, hops = 0; node && hops < 3 && node !== document.body; hops++, node = up(node)) found.push(node);
        return [...new Set(found)].filter(isVisible).slice(0, 12).map(node => tell(node, 'overlay', 2, words));
      },
      mark() { before = new Set(overlays()); return before.size; },
      // elements that may have a shadow root which they do not show
      hosts() {
        const found = [];
        for (const root of roots()) for (const node of root.querySelectorAll('*')) {
          if (found.length >= 25 || rootOf(node)) continue;
          if (node.localName.includes('-') ? node.matches(':defined') : (!node.firstChild && root === document && node.parentElement === document.body && /^(div|section|aside|span|article|footer|header)$/.test(node.localName))) found.push(node);
        }
        return found;
      },
      adopt(host, root) { closed.set(host, root); },
      off(wanted) {
        return wanted.map(one => {
          const node = things.get(one), on = () => node.localName === 'input' ? node.checked : node.getAttribute('aria-checked') === 'true';
          if (node && on()) node.click();
          if (node && on() && node.labels && node.labels[0]) node.labels[0].click();
          return node ? !on() : false;
        });
      },
      press(one) {
        const node = things.get(one);
        if (!node || !node.isConnected) return false;
        node.click();
        return true;
      },
      // presses of others, rules' too: noted, and stopped where `forbidden` fits the label
      listen({labels, paid}) {
        if (stop) stop();
        pressed = [];
        const never = new Set(labels), pay = new RegExp(paid, 'iu');
        const normal = said => said.normalize('NFKC').toLowerCase().replace(/[^\p{L}\p{N}\p{M}]+/gu, ' ').trim();
        const note = event => {
          const at = event.composedPath()[0], node = at && at.closest ? (at.closest('button, a, [role=button], input, [onclick]') || at) : null;
          if (!node || node.matches(TOGGLE)) return;
          const said = wordsOn(node), stopped = never.has(normal(said)) || pay.test(said) || /^[×✕✖✗╳]$/.test(said);
          if (stopped) { event.stopImmediatePropagation(); event.preventDefault(); }
          if (pressed.length < 20) pressed.push({text: said.slice(0, 120), tag: node.localName, stopped});
        };
        addEventListener('click', note, true);
        stop = () => removeEventListener('click', note, true);
      },
      heard() { const had = pressed; pressed = []; if (stop) stop(); stop = null; return had; },
      isThere(one) { const node = things.get(one); return !!node && isVisible(node) && !isOff(node); },
      change(most) {
        return new Promise(done => {
          let soon = 0;
          const end = changed => { clearTimeout(soon); clearTimeout(late); watch.disconnect(); removeEventListener('transitionend', some, true); removeEventListener('animationend', some, true); done(changed); };
          const some = () => { if (!soon) soon = setTimeout(end, 60, true); };
          const late = setTimeout(end, most, false);
          const watch = new MutationObserver(some);
          for (const root of roots()) watch.observe(root, {childList: true, subtree: true, attributes: true, attributeFilter: ['class', 'style', 'hidden', 'open', 'aria-hidden']});
          addEventListener('transitionend', some, true);
          addEventListener('animationend', some, true);
        });
      },
      state() {
        const found = {};
        const all = (kind, store) => { try { for (const key of Object.keys(store()).slice(0, 200)) found[kind + ':' + key] = String(store()[key]).slice(0, 6000); } catch {} };
        try { for (const one of document.cookie.split('; ').slice(0, 200)) { const [key, ...rest] = one.split('='); if (key) found['cookie:' + key] = rest.join('=').slice(0, 6000); } } catch {}
        all('local', () => localStorage);
        all('session', () => sessionStorage);
        return {origin: location.origin, entries: found};
      },
      // a constructed sheet: it hides, and no serialisation of the document holds it
      hide(wanted) {
        const sheet = new CSSStyleSheet(), rules = [];
        for (const one of wanted) {
          const node = things.get(one), steps = node ? path(node) : null;
          if (steps && steps.length > 1) rules.push('html > ' + steps.map(at => `:nth-child(${at + 1})`).join(' > ') + ' { display: none !important }');
        }
        rules.push('html, body { overflow: auto !important }');
        sheet.replaceSync(rules.join('\n'));
        document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
        return rules.length - 1;
      },
      // a copy in a document without a window: no picture loads, no element of the page's own is made
      cut() {
        const paths = [...notices.values()].filter(node => node.isConnected && node !== document.body).map(path).filter(steps => steps && steps.length > 1);
        if (!paths.length) return null;
        const copy = document.implementation.createHTMLDocument('').importNode(document.documentElement, true);
        const found = paths.map(steps => steps.reduce((node, at) => node && node.children[at], copy));
        for (const node of found) if (node) node.remove();
        return '<!DOCTYPE html>' + copy.outerHTML;
      },
      keep(wanted) { for (const one of [...notices.keys()]) if (!wanted.includes(one)) notices.delete(one); },
    };
  };
  const own = globalThis.__consent ??= make();
  return name === '' ? own : own[name](argument);
}
