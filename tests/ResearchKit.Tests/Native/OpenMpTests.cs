using ResearchKit.Native;
using static TorchSharp.torch;

namespace ResearchKit.Tests.Native;

public sealed class OpenMpTests
{
    [Fact]
    public void The_limit_of_one_thread_holds_only_for_the_current_thread_and_until_it_is_disposed()
    {
        if (Workarounds.IsOff(Workarounds.Threads)) return;
        using var first = zeros(1);   // libtorch has set its threads
        var before = OpenMp.Present;
        Assert.Equal(get_num_threads(), before);
        using (OpenMp.One())
        {
            Assert.Equal(1, OpenMp.Present);
            var elsewhere = 0;
            var thread = new Thread(() => elsewhere = OpenMp.Present);
            thread.Start();
            thread.Join();
            Assert.NotEqual(0, elsewhere);
            if (before > 1) Assert.NotEqual(1, elsewhere);
        }
        Assert.Equal(before, OpenMp.Present);
        Assert.Equal(before, get_num_threads());
    }
}
