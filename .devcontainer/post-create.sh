#!/usr/bin/env bash
# Builds the kit and its kernel, puts the command `researchkit` on the path, and registers the Jupyter kernel.
set -euo pipefail
cd "$(dirname "$0")/.."
dotnet build kernel -c Release
link=(ln -sf "$PWD/kernel/bin/Release/net10.0/ResearchKit.Kernel" /usr/local/bin/researchkit)
if [ -w /usr/local/bin ]; then "${link[@]}"; else sudo "${link[@]}"; fi
researchkit --version
# For this user, as "C# (ResearchKit)"; and by the name that the committed notebooks ask for, so that they open with it.
researchkit kernel install
researchkit kernel install --name .net-csharp
