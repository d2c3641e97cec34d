using System.Buffers.Binary;
using System.Numerics;
using ResearchKit.Tests.Kernel;
using ResearchKit.Training;
using Tensorboard;

namespace ResearchKit.Tests.Training;

/// <summary>Event files as TensorBoard reads them: records with length and checksums, an event in each.</summary>
public sealed class TensorBoardEventsTests : IDisposable
{
    private readonly TemporaryFolder folder = new();

    public void Dispose() => folder.Dispose();

    [Fact]
    public void The_metrics_of_each_step_are_in_the_event_file()
    {
        StepReport[] steps = [Step(1), Step(2) with { HeldOutLoss = 1.5, Loss = double.NaN }, Step(3)];
        Assert.Equal(steps, steps.WriteToTensorBoard(folder.PathTo("board")));
        var events = Events(Assert.Single(Directory.GetFiles(folder.PathTo("board"))));

        Assert.Equal("brain.Event:2", events[0].FileVersion);
        // seconds since 1970; TorchSharp's head has another
        Assert.All(events.Skip(1), one => Assert.InRange(one.WallTime, Now() - 600, Now() + 1));
        Assert.Equal([(1, 2.5f), (2, float.NaN), (3, 2.5f)], Scalars(events, "loss/training"));
        Assert.Equal([(2, 1.5f)], Scalars(events, "loss/held-out"));
        Assert.Equal([(1, 1e-3f), (2, 1e-3f), (3, 1e-3f)], Scalars(events, "learning-rate"));
        Assert.Equal([(1, 0.5f), (2, 0.5f), (3, 0.5f)], Scalars(events, "gradient-norm"));
        Assert.Equal([(1, 1000f), (2, 1000f), (3, 1000f)], Scalars(events, "tokens-per-second"));
    }

    [Fact]
    public void Each_step_is_in_the_file_before_its_report_is_returned_and_each_run_has_its_own_file()
    {
        foreach (var report in new[] { Step(1), Step(2) }.WriteToTensorBoard(folder.Path))
            Assert.Equal(report.Step, Scalars(Events(Assert.Single(Directory.GetFiles(folder.Path))), "loss/training").Count());
        Assert.Equal([Step(3)], new[] { Step(3) }.WriteToTensorBoard(folder.Path));
        Assert.Equal(2, Directory.GetFiles(folder.Path).Length);
    }

    private static double Now() => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() / 1000.0;

    private static IEnumerable<(int, float)> Scalars(IEnumerable<Event> events, string tag) => events
        .Where(one => one.Summary is not null)
            .SelectMany(one => one.Summary.Value.Where(value => value.Tag == tag)
            .Select(value => ((int)one.Step, value.SimpleValue)));

    private static List<Event> Events(string file)
    {
        var events = new List<Event>();
        ReadOnlySpan<byte> rest = File.ReadAllBytes(file);
        while (rest.Length > 0)
        {
            var length = (int)BinaryPrimitives.ReadUInt64LittleEndian(rest);
            Assert.Equal(Masked(rest[..8]), BinaryPrimitives.ReadUInt32LittleEndian(rest[8..]));
            Assert.Equal(Masked(rest.Slice(12, length)), BinaryPrimitives.ReadUInt32LittleEndian(rest[(12 + length)..]));
            events.Add(Event.Parser.ParseFrom(rest.Slice(12, length).ToArray()));
            rest = rest[(16 + length)..];
        }
        return events;
    }

    /// <summary>The checksum of a record: CRC-32C, turned and shifted.</summary>
    private static uint Masked(ReadOnlySpan<byte> bytes)
    {
        var crc = uint.MaxValue;
        foreach (var one in bytes) crc = BitOperations.Crc32C(crc, one);
        return BitOperations.RotateRight(~crc, 15) + 0xa282ead8;
    }

    private static StepReport Step(int number) => new(number, 3, 2.5, 1e-3, 0.5, 1000, TimeSpan.FromSeconds(number));
}
