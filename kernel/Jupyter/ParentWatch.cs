using System.Diagnostics;
using System.Globalization;

namespace ResearchKit.Kernel.Jupyter;

/// <summary>Ends a kernel whose front end has died without shutting it down.</summary>
internal static class ParentWatch
{
    /// <summary>
    /// Environment variable with the process id of the kernel's parent; Jupyter front ends set it.
    /// </summary>
    public const string Variable = "JPY_PARENT_PID";

    /// <summary>
    /// Cancels the source when the parent process ends; never if the environment variable is not set.
    /// </summary>
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
            // the parent has ended already
        }
        catch (OperationCanceledException)
        {
            return;   // the kernel ended first
        }
        await source.CancelAsync().ConfigureAwait(false);
    }
}
