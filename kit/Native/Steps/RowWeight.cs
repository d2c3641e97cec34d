using static TorchSharp.torch;

namespace ResearchKit.Native;

/// <summary>A weight that the threads of a team multiply one row by, each some outputs.</summary>
internal abstract unsafe class RowWeight
{
    /// <summary>Number of outputs.</summary>
    public abstract int Outputs { get; }

    /// <summary>Number of inputs.</summary>
    public abstract int Inputs { get; }

    /// <summary>Reads the address of the weight anew; on the thread that started the step.</summary>
    public abstract void Locate();

    /// <summary>Computes a thread's outputs of x Wᵀ + b.</summary>
    /// <param name="x">[in].</param>
    /// <param name="bias">[out], or null.</param>
    /// <param name="y">[out].</param>
    /// <param name="room">Memory of this thread.</param>
    /// <param name="thread">Number of this thread.</param>
    /// <param name="threads">How many there are.</param>
    public abstract void Multiply(float* x, float* bias, float* y, StepRoom room, int thread, int threads);

    /// <summary>The whole product with a float32 weight by all threads, for the self-check.</summary>
    /// <param name="x">float32 [1, in], contiguous, on the CPU.</param>
    public Tensor Multiply(Tensor x)
    {
        var y = empty([1, Outputs], ScalarType.Float32, CPU);
        Locate();
        using var call = new RowCall(this, (float*)NativeTensors.Data(x), (float*)NativeTensors.Data(y));
        call.Run();
        GC.KeepAlive(x);
        return y;
    }
}
