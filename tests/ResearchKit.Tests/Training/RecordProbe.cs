using ResearchKit.Training;

namespace ResearchKit.Tests.Training;

/// <summary>A process that writes a named run to the folder of another one, again and again.</summary>
internal static class RecordProbe
{
    public const int Saves = 20;

    public static bool Run()
    {
        var run = RunRecord.Start($"process {Environment.ProcessId}", 1, new { Saves });
        for (var save = 1; save <= Saves; save++)
        {
            run.Measure("saves", save, "times");
            run.Save();
        }
        foreach (var _ in RunRecordTests.Steps(2).WriteTo(run)) { }
        return true;
    }
}
