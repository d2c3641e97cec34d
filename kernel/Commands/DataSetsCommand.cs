using System.CommandLine;
using ResearchKit.Kernel.Kit;

namespace ResearchKit.Kernel.Commands;

/// <summary>
/// <c>researchkit datasets</c>: lists the data sets and verifies the size and checksum of each file.
/// </summary>
internal static class DataSetsCommand
{
    public static readonly string[] Examples =
    [
        "researchkit datasets", $"{KitDataSets.RootVariable}=~/data researchkit datasets",
    ];

    public static Command Create()
    {
        var command = new Command("datasets",
            "Lists the data sets with licence and source, and checks every file's size and SHA-256.");
        command.SetAction(parsed => Show(parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error));
        return command;
    }

    private static int Show(TextWriter output, TextWriter error)
    {
        var damaged = false;
        output.WriteLine($"in {KitDataSets.Root()}");
        foreach (var set in KitDataSets.List())
        {
            output.WriteLine($"{set.Heading}\n  {set.Description}\n  source: {set.Source}");
            try
            {
                set.Verify();
                output.WriteLine("  every file is as described");
            }
            catch (Exception wrong) when (wrong is InvalidDataException or FileNotFoundException)
            {
                damaged = true;
                error.WriteLine(wrong.Message);
            }
        }
        return damaged ? ExitCodes.BadInput : ExitCodes.Success;
    }
}
