// Starts the rules' content script in one frame. It is given `module` of its own, so that it exports into nothing of the
// page's; what it says is fetched, what it is told is handed in, through an object that only DevTools holds.
source => {
  const module = {exports: {}};
  /*ENGINE*/
  const Engine = module.exports.default;
  let queue = [], wake = null, current = null, generation = 0;
  const say = message => { queue.push(message); if (wake) { wake(); wake = null; } };
  return {
    start(config, rules) {
      const mine = ++generation;
      queue = [];
      current = new Engine(message => {
        if (mine !== generation) return Promise.resolve();
        if (message.type === 'report') {
          if (['nothingDetected', 'done', 'optOutFailed', 'optInFailed'].includes(message.state.lifecycle)) say({type: 'report', lifecycle: message.state.lifecycle, clicks: message.state.clicks});
        } else if (message.type === 'init') {
          Promise.resolve().then(() => current.receiveMessageCallback({type: 'initResp', rules: JSON.parse(rules), config}));
        } else {
          say(message);
        }
        return Promise.resolve();
      }, null, null);
    },
    tell(message) { current.receiveMessageCallback(message); },
    async next(most) {
      if (!queue.length) await new Promise(done => { wake = done; setTimeout(done, most); });
      return queue.splice(0);
    },
  };
}
