// What a page's own consent interfaces say, asked as any script of the page may ask. Runs in the page's world; leaves nothing.
async ({globals, most}) => {
  const within = ask => new Promise(done => { setTimeout(done, most, null); try { ask(done); } catch { done(null); } });
  const found = {webdriver: navigator.webdriver === true, globals: globals.filter(name => { try { return globalThis[name] !== undefined; } catch { return false; } }), api: {}};
  if (typeof globalThis.__tcfapi === 'function') {
    const told = await within(done => __tcfapi('addEventListener', 2, (data, ok) => {
      if (ok && data && data.listenerId !== undefined) __tcfapi('removeEventListener', 2, () => {}, data.listenerId);
      done(ok ? data : null);
    }));
    if (told) {
      const purposes = told.purpose && told.purpose.consents ? Object.entries(told.purpose.consents).filter(([, on]) => on).map(([key]) => key) : [];
      found.api.tcf = `${told.eventStatus || ''}|${purposes.join(',')}`;
      found.api.tcString = String(told.tcString || '').slice(0, 2000);
    }
  }
  if (typeof globalThis.__uspapi === 'function') {
    const told = await within(done => __uspapi('getUSPData', 1, (data, ok) => done(ok ? data : null)));
    if (told && told.uspString) found.api.usp = String(told.uspString);
  }
  if (typeof globalThis.__gpp === 'function') {
    const told = await within(done => __gpp('ping', (data, ok) => done(ok ? data : null)));
    if (told && told.gppString) found.api.gpp = String(told.gppString).slice(0, 2000);
  }
  return found;
}
