using System.CommandLine;
using ResearchKit.Kernel.Notebooks;
using ResearchKit.Kernel.Notebooks.Pages;
using ResearchKit.Native;

namespace ResearchKit.Kernel.Commands;

/// <summary><c>researchkit export</c>: the page of a notebook as it stands, without running it.</summary>
internal static class ExportCommand
{
    public static readonly string[] Examples =
    [
        "researchkit export notebooks/01-train-a-gpt.ipynb",
        "researchkit export study.ipynb --output public/study.html",
    ];

    public static Command Create()
    {
        var notebook = new Argument<string>("NOTEBOOK") { Description = "The .ipynb file; its outputs are taken as they are." };
        var output = new Option<string>("--output", "-o")
        {
            Description = "The page to write; beside the notebook where not given.",
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
        if (target == full) throw new ArgumentException($"The page would replace the notebook {path}; choose another --output.");
        var html = await HtmlPage.RenderAsync(
            notebook, Path.GetFileNameWithoutExtension(full), Path.GetDirectoryName(full)!, cancellation).ConfigureAwait(false);
        Directory.CreateDirectory(Path.GetDirectoryName(target)!);
        AtomicWrite.Text(target, html);
        await output.WriteLineAsync(target).ConfigureAwait(false);
        return ExitCodes.Success;
    }
}
