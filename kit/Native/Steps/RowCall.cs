using System.Runtime.InteropServices;

namespace ResearchKit.Native;

/// <summary>One product of a row with a float32 weight, on all threads.</summary>
internal sealed unsafe class RowCall : IDisposable
{
    private static readonly StepRoom None = new(0, 0, 0, 0);

    private readonly RowWeight weight;
    private readonly float* x;
    private readonly float* y;
    private readonly int threads = Math.Max(1, Compute.Threads);
    private GCHandle handle;

    public RowCall(RowWeight weight, float* x, float* y)
    {
        this.weight = weight;
        this.x = x;
        this.y = y;
        handle = GCHandle.Alloc(this);
    }

    public void Run() => ThreadTeam.Run(&Part, (void*)GCHandle.ToIntPtr(handle), threads);

    public void Dispose() => handle.Free();

    private static void Part(void* data, int thread, int threads)
    {
        var call = (RowCall)GCHandle.FromIntPtr((nint)data).Target!;
        call.weight.Multiply(call.x, null, call.y, None, thread, threads);
    }
}
