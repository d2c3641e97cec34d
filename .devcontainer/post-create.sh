#!/usr/bin/env bash
# Builds the kit and its kernel, and puts the command `researchkit` on the path.
set -euo pipefail
cd "$(dirname "$0")/.."
dotnet build kernel -c Release
mkdir -p "$HOME/.local/bin"
ln -sf "$PWD/kernel/bin/Release/net10.0/ResearchKit.Kernel" "$HOME/.local/bin/researchkit"
"$HOME/.local/bin/researchkit" --version
