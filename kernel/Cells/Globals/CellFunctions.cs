using Microsoft.AspNetCore.Html;
using Microsoft.DotNet.Interactive.Formatting;

namespace ResearchKit.Kernel.Cells.Globals;

/// <summary>The functions that every cell can call without a using, named as in .NET Interactive.</summary>
public static class CellFunctions
{
    /// <summary>
    /// Cancelled when the running cell is interrupted; long-running code can check it or pass it on.
    /// </summary>
    public static CancellationToken Cancellation => CellScope.Current?.Cancellation ?? CancellationToken.None;

    /// <summary>
    /// Displays a value below the cell, in the given mime types or else in those that its formatters prefer.
    /// </summary>
    /// <exception cref="OperationCanceledException">The running cell was interrupted.</exception>
    public static DisplayedValue display(object? value, params string[] mimeTypes) =>
        Show(Formatted.Of(value, mimeTypes), mimeTypes);

    /// <summary>Clears the outputs of the cell.</summary>
    /// <param name="wait">Whether to wait until the next output arrives, which avoids flickering.</param>
    public static void ClearOutput(bool wait = false) => CellScope.Current?.Outputs?.Send(new ClearOutput(wait));

    /// <summary>Returns text that is displayed as HTML.</summary>
    public static IHtmlContent HTML(string content) => content.ToHtmlContent();

    /// <summary>Runs a JavaScript script in the page.</summary>
    public static void Javascript(string scriptContent) =>
        Show(Formatted.Raw($"<script type=\"text/javascript\">{scriptContent}</script>", HtmlFormatter.MimeType), []);

    /// <summary>Adds a style sheet to the page.</summary>
    public static void CSS(string content) => Show(Formatted.Raw($"<style>{content}</style>", HtmlFormatter.MimeType), []);

    /// <summary>Requests input from the user.</summary>
    /// <param name="prompt">The prompt.</param>
    /// <param name="typeHint">
    /// With <c>password</c> the answer is not shown; other values are accepted for .NET Interactive and ignored.
    /// </param>
    /// <exception cref="InvalidOperationException">Input is not available in this run.</exception>
    public static Task<string> GetInputAsync(string prompt = "", string typeHint = "text") =>
        Task.FromResult(Ask(prompt, secret: typeHint == "password"));

    /// <summary>Requests a secret from the user, which is not shown.</summary>
    /// <exception cref="InvalidOperationException">Input is not available in this run.</exception>
    public static Task<string> GetPasswordAsync(string prompt = "") => Task.FromResult(Ask(prompt, secret: true));

    internal static string Ask(string prompt, bool secret)
    {
        var cell = CellScope.Current;
        var ask = cell?.Input ?? throw new InvalidOperationException(
            "Nobody can be asked here: input is not available in this run. Set the value in the parameters cell instead.");
        cell.Outputs?.FlushAll();
        return ask(prompt, secret);
    }

    internal static DisplayedValue Show(Formatted value, string[] mimeTypes)
    {
        var shown = new DisplayedValue(Guid.NewGuid().ToString("N"), mimeTypes);
        if (CellScope.Current is { } cell)
        {
            cell.Outputs?.Show(value, shown.DisplayId);
            cell.StopIfAsked();
        }
        return shown;
    }
}
