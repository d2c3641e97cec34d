using System.Reflection;
using Microsoft.CodeAnalysis.Host.Mef;

namespace ResearchKit.Kernel.Cells;

/// <summary>The services of Roslyn's workspaces, from the kernel's own assemblies alone.</summary>
/// <remarks>
/// Roslyn's default host also looks for Visual Basic's assemblies, which the kernel does not have. Where a package brought those
/// of another version, they were loaded and did not fit.
/// </remarks>
internal static class RoslynHost
{
    private static readonly string[] Names =
    [
        "Microsoft.CodeAnalysis.Workspaces", "Microsoft.CodeAnalysis.CSharp.Workspaces",
        "Microsoft.CodeAnalysis.Features", "Microsoft.CodeAnalysis.CSharp.Features",
    ];

    private static readonly Lazy<MefHostServices> Host = new(() => MefHostServices.Create(Names.Select(Assembly.Load)));

    /// <summary>The services, composed once per process.</summary>
    public static MefHostServices Services => Host.Value;
}
