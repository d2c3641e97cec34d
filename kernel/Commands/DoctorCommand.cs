using System.CommandLine;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Commands.Doctor;
using ResearchKit.Kernel.Commands.Running;
using ResearchKit.Kernel.Kit;

namespace ResearchKit.Kernel.Commands;

/// <summary>
/// <c>researchkit doctor</c>: describes the machine, which native kernels are in use and why, and what is
/// missing.
/// </summary>
internal static class DoctorCommand
{
    public static readonly string[] Examples = ["researchkit doctor", "RESEARCHKIT_SELFCHECK=force researchkit doctor"];

    public static Command Create()
    {
        var command = new Command("doctor", "Describes this machine: processor, memory, libtorch, native kernels in "
            + "use and their measured rates, workarounds, Jupyter kernels, and missing programs.");
        command.SetAction(parsed => Show(parsed.InvocationConfiguration.Output));
        return command;
    }

    private static int Show(TextWriter output)
    {
        Section(output, "ResearchKit", [("version", ProductVersion.Text), (".NET", RuntimeInformation.FrameworkDescription)]);
        var works = true;
        try
        {
            ShowKit(output);
        }
        catch (Exception error)
            when (error.GetBaseException() is DllNotFoundException or NotSupportedException or InvalidOperationException)
        {
            works = false;
            Section(output, "Machine",
                [("system", RuntimeInformation.OSDescription),
                    ("architecture", RuntimeInformation.ProcessArchitecture.ToString()),
                    ("libtorch", error.GetBaseException().Message)]);
        }
        var kernels = InstalledKernels.List();
        Section(output, "Jupyter kernels",
            kernels.Count > 0 ? kernels : [("none", "to register this one: researchkit kernel install")]);
        Section(output, "Other programs", OtherPrograms.List());
        return works ? ExitCodes.Success : ExitCodes.BadInput;
    }

    /// <summary>
    /// A method of its own, not inlined: the JIT loads the kit only when this method is called, so its caller can
    /// catch a failure to load.
    /// </summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ShowKit(TextWriter output)
    {
        GivenKernels.Take(null);   // throws one clear error if an environment variable of the kit is invalid
        foreach (var (title, lines) in KitReport.Sections()) Section(output, title, lines);
    }

    private static void Section(TextWriter output, string title, IReadOnlyList<(string Name, string Value)> lines)
    {
        output.WriteLine(title);
        var width = lines.Max(line => line.Name.Length);
        foreach (var (name, value) in lines) output.WriteLine($"  {name.PadRight(width)}  {value}");
        output.WriteLine();
    }
}
