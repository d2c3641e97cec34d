using System.CommandLine;
using ResearchKit.Kernel.Notebooks;
using ResearchKit.Kernel.Notebooks.Pages;
using ResearchKit.Native;

namespace ResearchKit.Kernel.Commands;

/// <summary>
/// <c>researchkit export</c>: writes a notebook with its stored outputs as an HTML page, without running it.
/// </summary>
internal static class ExportCommand
{
    public static readonly string[] Examples =
    [
        "researchkit export notebooks/01-train-a-gpt.ipynb",
        "researchkit export study.ipynb --output public/study.html",
    ];

    public static Command Create()
    {
        var notebook = new Argument<string>("NOTEBOOK")
        {
            Description = "The .ipynb file; its stored outputs are used, nothing is run."
        };
        var output = new Option<string>("--output", "-o")
        {
            Description = "The HTML file to write; default: the notebook's path with the extension .html.",
            HelpName = "FILE",
        };
        var command = new Command("export", "Writes a notebook as one HTML page that needs no network.") { notebook, output };
        command.SetAction((parsed, cancellation) => ExportAsync(
            parsed.GetRequiredValue(notebook), parsed.GetValue(output), parsed.InvocationConfiguration.Output, cancellation));
        return command;
    }

    private static async Task<int> ExportAsync(string path, string? page, TextWriter output, CancellationToken cancellation)
    {
        var notebook = NotebookDocument.Load(path);
        var full = Path.GetFullPath(path);
        var target = Path.GetFullPath(page ?? Path.ChangeExtension(full, ".html"));
        if (target == full)
            throw new ArgumentException($"--output is the notebook {path} itself; expected another file.");
        var html = await HtmlPage.RenderAsync(
            notebook, Path.GetFileNameWithoutExtension(full), Path.GetDirectoryName(full)!, cancellation).ConfigureAwait(false);
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        AtomicWrite.Text(target, html);
        await output.WriteLineAsync(target).ConfigureAwait(false);
        return ExitCodes.Success;
    }
}
