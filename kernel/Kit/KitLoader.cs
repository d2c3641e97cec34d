using ResearchKit.Formatting;
using ResearchKit.Kernel.Cells;
using ResearchKit.Native;

namespace ResearchKit.Kernel.Kit;

/// <summary>Loads the kit into the process of a session.</summary>
internal static class KitLoader
{
    private static readonly Lazy<string> Libraries = new(() => NativeLibraries.TorchPath);

    /// <summary>Loads the kit and its native libraries, and registers its formatters.</summary>
    /// <param name="live">Displays a value and returns a function that updates the display.</param>
    public static void Load(Func<object, Action<object>> live)
    {
        ArgumentNullException.ThrowIfNull(live);
        _ = Libraries.Value;
        TerminateHandler.Listen(error => CellScope.Claim(new NativeError(error.Message, error.Stack)));
        Formatters.Install(live);
    }
}
