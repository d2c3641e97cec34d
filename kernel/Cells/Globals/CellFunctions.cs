using Microsoft.AspNetCore.Html;
using Microsoft.DotNet.Interactive.Formatting;

namespace ResearchKit.Kernel.Cells.Globals;

/// <summary>What every cell can call without a using, under .NET Interactive's names.</summary>
public static class CellFunctions
{
    /// <summary>Set when the running cell should stop; long loops pass it on or look at it.</summary>
    public static CancellationToken Cancellation => CellScope.Current?.Cancellation ?? CancellationToken.None;

    /// <summary>Shows a value below the cell, in the mime types that its formatters prefer or in those given.</summary>
    /// <exception cref="OperationCanceledException">The running cell was interrupted.</exception>
    public static DisplayedValue display(object? value, params string[] mimeTypes) =>
        Show(Formatted.Of(value, mimeTypes), mimeTypes);

    /// <summary>Takes away what the cell has shown so far.</summary>
    /// <param name="wait">Only when the next output comes, so that nothing flickers.</param>
    public static void ClearOutput(bool wait = false) => CellScope.Current?.Outputs?.Send(new ClearOutput(wait));

    /// <summary>Text that is shown as the HTML it is.</summary>
    public static IHtmlContent HTML(string content) => content.ToHtmlContent();

    /// <summary>Runs a script in the page.</summary>
    public static void Javascript(string scriptContent) =>
        Show(Formatted.Raw($"<script type=\"text/javascript\">{scriptContent}</script>", HtmlFormatter.MimeType), []);

    /// <summary>Adds styles to the page.</summary>
    public static void CSS(string content) => Show(Formatted.Raw($"<style>{content}</style>", HtmlFormatter.MimeType), []);

    /// <summary>Asks the person at the notebook.</summary>
    /// <param name="prompt">The question.</param>
    /// <param name="typeHint">Accepted for notebooks of .NET Interactive; the answer is a text.</param>
    /// <exception cref="InvalidOperationException">Nobody can be asked.</exception>
    public static Task<string> GetInputAsync(string prompt = "", string typeHint = "text") =>
        Task.FromResult(Ask(prompt, secret: typeHint == "password"));

    /// <summary>Asks the person at the notebook for a secret, which is not shown.</summary>
    /// <exception cref="InvalidOperationException">Nobody can be asked.</exception>
    public static Task<string> GetPasswordAsync(string prompt = "") => Task.FromResult(Ask(prompt, secret: true));

    internal static string Ask(string prompt, bool secret)
    {
        var cell = CellScope.Current;
        var ask = cell?.Input ?? throw new InvalidOperationException(
            "Nobody can be asked here: a cell reads from the console only where a person runs it. Give it its values in the "
                + "parameters cell.");
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
