using ResearchKit.Formatting;
using ResearchKit.Kernel.Languages;
using ResearchKit.Native;

namespace ResearchKit.Kernel.Sessions;

/// <summary>The one place where the kernel touches the kit.</summary>
internal static class Kit
{
    private static readonly Lazy<string> Libraries = new(() => NativeLibraries.TorchPath);

    /// <summary>Loads the kit, its native libraries and how its values look.</summary>
    /// <param name="live">Shows a value and returns what updates it.</param>
    public static void Install(Func<object, Action<object>> live)
    {
        ArgumentNullException.ThrowIfNull(live);
        _ = Libraries.Value;
        TerminateHandler.Listen(error => CellScope.Claim(new NativeError(error.Message, error.Stack)));
        Formatters.Install(live);
    }
}
