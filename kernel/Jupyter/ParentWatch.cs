using System.Diagnostics;
using System.Globalization;

namespace ResearchKit.Kernel.Jupyter;

/// <summary>Ends a kernel whose front end has gone without a word.</summary>
internal static class ParentWatch
{
    /// <summary>Set by every front end of Jupyter.</summary>
    public const string Variable = "JPY_PARENT_PID";

    /// <summary>Cancels when the process that started this one ends; never, where nobody says which it was.</summary>
    public static async Task CancelAfterAsync(CancellationTokenSource source)
    {
        if (!int.TryParse(Environment.GetEnvironmentVariable(Variable), NumberStyles.None, CultureInfo.InvariantCulture,
            out var id))
            return;
        try
        {
            using var parent = Process.GetProcessById(id);
            await parent.WaitForExitAsync(source.Token).ConfigureAwait(false);
        }
        catch (ArgumentException)
        {
            // it is gone already
        }
        catch (OperationCanceledException)
        {
            return;   // the kernel ended first
        }
        await source.CancelAsync().ConfigureAwait(false);
    }
}
