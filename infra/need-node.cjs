// Old syntax on purpose: this file must run, and speak, on the Node that is too old for everything else.
var wanted = 24;
var major = Number(process.versions.node.split(".")[0]);
if (major < wanted) {
  process.stderr.write(
    "looker-token-broker needs Node " +
      wanted +
      " or newer and runs on " +
      process.versions.node +
      ". " +
      "On Linux and Windows `npm ci` brings it along: run it through npm (npm start, npm test). " +
      "On other systems install Node " +
      wanted +
      " first, for instance with `brew install node@" +
      wanted +
      "`.\n",
  );
  process.exit(1);
}
