using System.Reflection;

namespace ResearchKit.Kernel.Cells;

/// <summary>The version of this program.</summary>
internal static class ProductVersion
{
    /// <summary>The version without the build metadata after <c>+</c>, such as <c>0.1.0</c>.</summary>
    public static string Text { get; } =
        (typeof(ProductVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion ?? "0")
            .Split('+')[0];
}
