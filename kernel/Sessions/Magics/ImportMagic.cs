using System.CommandLine;

namespace ResearchKit.Kernel.Sessions.Magics;

/// <summary><c>#!import</c>: runs a notebook or a source file as if its code were in this place.</summary>
internal static class ImportMagic
{
    private const int Deepest = 20;
    private static readonly AsyncLocal<int> Depth = new();

    public static Command Create(MagicCall call)
    {
        var file = new Argument<string>("file")
        {
            Description = $"An .ipynb or .dib notebook, or a source file ({string.Join(", ", ImportedFile.Kinds)}).",
        };
        var command = new Command("import", "Runs another notebook or a source file.") { file };
        command.SetAction((parsed, _) => RunAsync(call, parsed.GetRequiredValue(file)));
        return command;
    }

    private static async Task RunAsync(MagicCall call, string file)
    {
        var path = Path.GetFullPath(file, call.Folder);
        if (!File.Exists(path)) throw new ArgumentException($"there is no file {path}.");
        if (++Depth.Value > Deepest)
            throw new ArgumentException($"{file} is imported within itself, {Deepest} times; expected files that do "
                + "not import each other in a cycle.");
        var outer = call.Run.IsFile;
        try
        {
            call.Run.IsFile = Path.GetExtension(path).Equals(".cs", StringComparison.OrdinalIgnoreCase);
            foreach (var (code, language) in ImportedFile.Cells(path, call.Language))
                await call.Execute(code, language).ConfigureAwait(false);
        }
        finally
        {
            call.Run.IsFile = outer;
            Depth.Value--;
        }
    }
}
