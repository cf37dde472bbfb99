#!/usr/bin/env bash
# Finds a Chromium for the browser tests, or installs one: Debian's package where there is apt-get and root, else Playwright's own.
set -euo pipefail
for name in chromium chromium-browser google-chrome; do
  if command -v "$name" > /dev/null; then exit 0; fi
done
if ls "${HOME}"/.cache/ms-playwright/chromium-*/ > /dev/null 2>&1; then exit 0; fi
if command -v apt-get > /dev/null; then
  as_root=""
  [ "$(id -u)" = 0 ] || as_root="sudo -n"
  echo "Installing Chromium for the browser tests"
  if $as_root apt-get update -qq > /dev/null 2>&1 && $as_root apt-get install -y -qq --no-install-recommends chromium > /dev/null 2>&1; then
    exit 0
  fi
fi
echo "Installing Playwright's Chromium for the browser tests"
.venv/bin/python -m playwright install --with-deps chromium
