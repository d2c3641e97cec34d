using System.Runtime.CompilerServices;
using ResearchKit.Native;

namespace ResearchKit.Tests;

/// <summary>Loads libtorch the kit's way before any test makes a tensor, since a test may do so before it touches the kit.</summary>
internal static class NativeFirst
{
    [ModuleInitializer]
    internal static void Load() => RuntimeHelpers.RunModuleConstructor(typeof(NativeLibraries).Module.ModuleHandle);
}
