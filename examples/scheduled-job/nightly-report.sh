#!/bin/sh
# The job itself: `looker-token exec --scope sales -- nightly-report.sh` gives it $LOOKER_ACCESS_TOKEN and
# $LOOKERSDK_BASE_URL. It knows nothing of the broker.
#
# A job that may outlive the token takes `exec --token-file PATH`, and reads $LOOKER_TOKEN_FILE before each call.
set -eu
: "${LOOKER_ACCESS_TOKEN:?comes from looker-token exec}" "${LOOKERSDK_BASE_URL:?comes from looker-token exec}"

# By stdin: what stands on a command line, every user of the machine can read. With a limit, or a Looker that hangs keeps
# the job until somebody looks.
printf 'header = "Authorization: Bearer %s"\n' "$LOOKER_ACCESS_TOKEN" |
  curl --silent --show-error --fail-with-body --connect-timeout 5 --max-time 300 --config - \
    "$LOOKERSDK_BASE_URL/api/4.0/user"
