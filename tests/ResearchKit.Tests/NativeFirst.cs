using System.Runtime.CompilerServices;
using ResearchKit.Native;

namespace ResearchKit.Tests;

/// <summary>
/// Loads libtorch the kit's way before any test makes a tensor, since a test may do so before it touches the kit.
/// </summary>
/// <remarks>
/// One thread, unless <c>OMP_NUM_THREADS</c> says more: other programs run beside the tests (<see cref="OtherPrograms"/>), and
/// threads that wait for each other take many times as long where they have to share the processor.
/// </remarks>
internal static class NativeFirst
{
    [ModuleInitializer]
    internal static void Load()
    {
        RuntimeHelpers.RunModuleConstructor(typeof(NativeLibraries).Module.ModuleHandle);
        if (Environment.GetEnvironmentVariable("OMP_NUM_THREADS") is null) Compute.Threads = 1;
    }
}
