#!/usr/bin/env bash
# Builds the kit and its kernel, and puts the command `researchkit` on the path.
set -euo pipefail
cd "$(dirname "$0")/.."
dotnet build kernel -c Release
link=(ln -sf "$PWD/kernel/bin/Release/net10.0/ResearchKit.Kernel" /usr/local/bin/researchkit)
if [ -w /usr/local/bin ]; then "${link[@]}"; else sudo "${link[@]}"; fi
researchkit --version
