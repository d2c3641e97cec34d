using System.CommandLine;
using ResearchKit.Kernel.Commands.Creating;
using ResearchKit.Kernel.Commands.Running;

namespace ResearchKit.Kernel.Commands;

/// <summary><c>researchkit new</c>: creates a notebook from a template that runs as it is.</summary>
internal static class NewCommand
{
    public static readonly string[] Examples =
    [
        "researchkit new my-study",
        "researchkit new notebooks/02-what-heads-see.ipynb",
    ];

    private const string Extension = ".ipynb";

    public static Command Create()
    {
        var name = new Argument<string>("NAME")
        {
            Description = "The notebook to create; '.ipynb' is added if it is missing."
        };
        var command = new Command("new", "Creates a notebook with the parts of a study: question, settings, a model "
            + "that trains in seconds, run record. Never replaces a file.") { name };
        command.SetAction(parsed => Make(parsed.GetRequiredValue(name), parsed.InvocationConfiguration.Output));
        return command;
    }

    private static int Make(string name, TextWriter output)
    {
        if (name.Length == 0 || Path.EndsInDirectorySeparator(name) || Path.GetFileName(name) is "" or Extension or "." or "..")
            throw new ArgumentException($"NAME '{name}' is not a file name; expected one such as my-study.");
        var path = Path.GetFullPath(name.EndsWith(Extension, StringComparison.OrdinalIgnoreCase) ? name : name + Extension);
        if (Path.Exists(path)) throw new ArgumentException($"{path} exists already; expected the name of a new notebook.");
        WritablePlace.RequireFile(path, path);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        using (var file = new StreamWriter(new FileStream(path, FileMode.CreateNew))) file.Write(Template.For(path).ToJson());
        output.WriteLine(path);
        output.WriteLine($"Run it with: researchkit run {Path.GetRelativePath(Directory.GetCurrentDirectory(), path)}");
        return ExitCodes.Success;
    }
}
