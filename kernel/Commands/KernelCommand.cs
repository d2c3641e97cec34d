using System.CommandLine;
using ResearchKit.Kernel.Jupyter;
using ResearchKit.Kernel.Protocol;
using ResearchKit.Kernel.Sessions;

namespace ResearchKit.Kernel.Commands;

/// <summary>
/// <c>researchkit kernel</c>: registers the Jupyter kernel (<c>install</c>) and runs it (<c>start</c>).
/// </summary>
internal static class KernelCommand
{
    private const string ServeName = "serve";

    public static readonly string[] Examples =
    [
        "researchkit kernel install",
        "researchkit kernel install --prefix ~/venv --name csharp-study",
    ];

    public static Command Create() => new("kernel", "The Jupyter kernel for C# notebooks.") { Install(), Start(), Serve() };

    private static Command Install()
    {
        var user = new Option<bool>("--user") { Description = "Installs for the current user (the default)." };
        var prefix = new Option<string>("--prefix")
        {
            Description = "Installs in PREFIX/share/jupyter; PREFIX is, for example, the folder of a virtual environment.",
            HelpName = "PREFIX",
        };
        var system = new Option<bool>("--sys-prefix")
        {
            Description = "Installs in the active virtual or conda environment."
        };
        var name = new Option<string>("--name")
        {
            Description = $"The kernel's name, by which notebooks refer to it; default: {KernelSpec.DefaultName}.",
            HelpName = "NAME",
        };
        var command = new Command("install", "Registers the kernel, so that Jupyter and VS Code offer it.")
        {
            user, prefix, system, name,
        };
        command.SetAction(parsed =>
        {
            var data = (parsed.GetValue(user), parsed.GetValue(prefix), parsed.GetValue(system)) switch
            {
                (_, null, false) => KernelSpec.UserData(),
                (false, { } folder, false) => Path.Combine(folder, "share", "jupyter"),
                (false, null, true) => Path.Combine(ActiveEnvironment(), "share", "jupyter"),
                _ => throw new ArgumentException("--user, --prefix and --sys-prefix exclude each other; expected at most one."),
            };
            parsed.InvocationConfiguration.Output.WriteLine(KernelSpec.Install(
                data, parsed.GetValue(name) ?? KernelSpec.DefaultName, ThisProgram.LastingCommand("kernel", "start")));
            return ExitCodes.Success;
        });
        return command;
    }

    private static Command Start()
    {
        var file = new Argument<string>("FILE") { Description = "The connection file that the front end wrote." };
        var command = new Command("start", "Runs the kernel until the front end shuts it down. Jupyter calls this.") { file };
        command.SetAction((parsed, cancellation) =>
            SuperviseAsync(parsed.GetRequiredValue(file), parsed.InvocationConfiguration.Error, cancellation));
        return command;
    }

    /// <summary>
    /// Hidden command of the kernel process itself. The supervisor starts it and writes the connection file to its
    /// stdin.
    /// </summary>
    private static Command Serve()
    {
        var pipe = new Argument<string>("PIPE");
        var command = new Command(ServeName) { pipe };
        command.Hidden = true;
        command.SetAction((parsed, cancellation) => ServeAsync(
            ConnectionFile.Parse(Console.In.ReadToEnd(), "stdin"), parsed.GetRequiredValue(pipe),
            parsed.InvocationConfiguration.Error, cancellation));
        return command;
    }

    private static async Task<int> SuperviseAsync(string path, TextWriter error, CancellationToken cancellation)
    {
        _ = ConnectionFile.Load(path);   // reports an invalid file before any process is started
        var connection = await File.ReadAllTextAsync(path, cancellation).ConfigureAwait(false);
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        _ = ParentWatch.CancelAfterAsync(end);
        var code = await Supervisor.RunAsync(connection, ThisProgram.Command("kernel", ServeName), error, end.Token)
            .ConfigureAwait(false);
        await end.CancelAsync().ConfigureAwait(false);
        return code;
    }

    private static async Task<int> ServeAsync(ConnectionFile file, string pipe, TextWriter error, CancellationToken cancellation)
    {
        using var supervision = new Supervision(pipe);
        using var session = new Session(Directory.GetCurrentDirectory());
        using var server = new KernelServer(file, session, error.WriteLine) { Supervision = supervision };
        using var end = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        _ = ParentWatch.CancelAfterAsync(end);
        await server.RunAsync(end.Token).ConfigureAwait(false);
        supervision.End();   // this end is wanted, also in the middle of a cell
        await end.CancelAsync().ConfigureAwait(false);
        return ExitCodes.Success;
    }

    private static string ActiveEnvironment() =>
        Environment.GetEnvironmentVariable("VIRTUAL_ENV") is { Length: > 0 } virtualEnvironment ? virtualEnvironment
        : Environment.GetEnvironmentVariable("CONDA_PREFIX") is { Length: > 0 } conda ? conda
        : throw new ArgumentException(
            "--sys-prefix: no virtual or conda environment is active (VIRTUAL_ENV, CONDA_PREFIX); expected one, or --prefix.");
}
