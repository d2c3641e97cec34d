using ResearchKit.Tests.Native;

namespace ResearchKit.Tests;

/// <summary>This assembly as a program: one probe, in a process that it may end.</summary>
internal static class Program
{
    private static int Main(string[] args) => Probes.Run(args[0]);
}
