using System.CommandLine;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Commands.Doctor;
using ResearchKit.Kernel.Commands.Running;
using ResearchKit.Kernel.Kit;

namespace ResearchKit.Kernel.Commands;

/// <summary><c>researchkit doctor</c>: what this machine has, which kernels were chosen and why, and what is missing.</summary>
internal static class DoctorCommand
{
    public static readonly string[] Examples = ["researchkit doctor", "RESEARCHKIT_SELFCHECK=force researchkit doctor"];

    public static Command Create()
    {
        var command = new Command("doctor",
            "Tells what this machine has: processor, memory, libtorch, the kernels chosen and their measured rates, workarounds, "
            + "Jupyter kernels, and what is missing.");
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
        catch (TypeInitializationException error)
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

    /// <summary>Apart, so that the kit is not loaded before its failure can be told.</summary>
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void ShowKit(TextWriter output)
    {
        GivenKernels.Take(null);   // one sentence about a variable that is not understood
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
