using System.CommandLine;
using System.Runtime.InteropServices;
using ResearchKit.Kernel.Cells;
using ResearchKit.Kernel.Packages;

namespace ResearchKit.Kernel.Sessions.Magics;

/// <summary><c>#!about</c>: shows versions, system and process of the kernel.</summary>
internal static class AboutMagic
{
    public static Command Create(MagicCall call)
    {
        var command = new Command("about", "Shows versions, system and process of the kernel.");
        command.SetAction(_ =>
        {
            MagicTable.Show(call.Run.Scope.Outputs, ["", ""],
            [
                ["kernel", $"ResearchKit {ProductVersion.Text}"],
                [".NET", RuntimeInformation.FrameworkDescription],
                ["TorchSharp", CarriedPackages.Versions.GetValueOrDefault("TorchSharp") ?? ""],
                ["system", $"{RuntimeInformation.OSDescription}, {RuntimeInformation.ProcessArchitecture}, "
                    + $"{Environment.ProcessorCount} processors"],
                ["languages", string.Join(", ", call.Languages.All.Select(language => language.Name))],
                ["process", $"{Environment.ProcessId}"],
            ]);
        });
        return command;
    }
}
